"""Scrape configuration and the rules of prometheus-adapter."""

from __future__ import annotations

import pytest

from infra import names
from local import paths
from local.cluster import metrics
from local.cluster.nodes import nodes


@pytest.mark.usefixtures("cluster")
def test_metrics_are_asked_of_every_node_and_computed_for_pods_and_nodes() -> None:
    scrape = metrics.scrape_configuration(nodes(2))["scrape_configs"]
    assert [target["targets"] for target in scrape[0]["static_configs"]] == [["172.30.0.1:10250"], ["172.30.0.2:10250"]]
    rules = metrics.adapter_rules()["resourceRules"]
    assert rules["cpu"]["containerQuery"] == (
        "sum by (<<.GroupBy>>) (rate(container_cpu_usage_seconds_total{<<.LabelMatchers>>}[30s]))"
    )
    assert rules["memory"]["nodeQuery"] == "sum by (<<.GroupBy>>) (node_memory_working_set_bytes{<<.LabelMatchers>>})"


@pytest.mark.usefixtures("cluster")
def test_what_autoscalers_ask_for_is_read_from_the_prometheus_of_every_stack_that_has_a_file() -> None:
    _, *stacks = metrics.scrape_configuration(nodes(1))["scrape_configs"]
    files = {path.name.split(".")[1] for path in paths.ROOT.glob("Pulumi.*.yaml")}
    assert {stack["job_name"] for stack in stacks} == {f"task-manager-{name}" for name in files}
    wanted = [rule["seriesQuery"] for rule in metrics.adapter_rules()["rules"]]
    for stack in stacks:
        service = f"/namespaces/{stack['job_name']}/services/{names.PROMETHEUS}:{names.PROMETHEUS_PORT}/proxy/federate"
        assert stack["metrics_path"].endswith(service)
        assert stack["params"] == {"match[]": wanted}
        assert stack["honor_labels"], "without it pods would be those of the machine's Prometheus"
