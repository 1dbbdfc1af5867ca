"""What a cluster's own Prometheus operator is given: the same rules, dashboards and targets, in its own kinds."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from infra import names
from infra.components.observability import prometheus
from local.tools import go_tools as tools
from monitoring import catalogue
from tests.infra import render
from tests.infra.engine import Resource, Stack
from tests.infra.schemas import strict

DEFINITIONS = ("github.com/prometheus-operator/prometheus-operator", "v0.85.0")


@pytest.fixture
def stack(variants: dict[str, Stack]) -> Stack:
    """Phase 3 where the operator is."""
    return variants["phase3-operator"]


def of_kind(stack: Stack, kind: str) -> dict[str, Resource]:
    return {resource.object_name: resource for resource in stack.objects if resource.kind == kind}


def schema(kind: str) -> dict[str, Any]:
    """The operator's own schema of a kind's specification."""
    folder = tools.module_source(*DEFINITIONS) / "example" / "prometheus-operator-crd"
    definition = yaml.safe_load((folder / f"monitoring.coreos.com_{kind.lower()}s.yaml").read_text())
    whole = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return strict(whole["properties"]["spec"])


@pytest.mark.parametrize("kind", ["PodMonitor", "PrometheusRule"])
def test_the_operator_takes_them(stack: Stack, kind: str) -> None:
    found = of_kind(stack, kind)
    assert found
    for resource in found.values():
        jsonschema.validate(render.manifest(resource)["spec"], schema(kind))


def test_it_evaluates_the_very_rules_that_are_tested_but_those_about_the_stacks_own_servers(
    stack: Stack, phase3: Stack
) -> None:
    files = phase3.find("ConfigMap", names.PROMETHEUS).inputs["data"]
    own = {name: yaml.safe_load(content) for name, content in files.items() if name.startswith("rules-")}
    assert own.pop("rules-monitoring.yaml")
    [limits] = own["rules-limits.yaml"]["groups"]
    servers = {"prometheus", "alertmanager"}
    limits["rules"] = [rule for rule in limits["rules"] if rule.get("labels", {}).get("volume") not in servers]
    given = {
        f"rules-{name.removeprefix('task-manager-')}.yaml": resource.inputs["spec"]
        for name, resource in of_kind(stack, "PrometheusRule").items()
    }
    assert given == own


def test_grafana_finds_every_dashboard_by_its_label(stack: Stack) -> None:
    maps = [resource.inputs for resource in stack.objects if resource.kind == "ConfigMap"]
    labelled = [found["data"] for found in maps if found["metadata"]["labels"].get("grafana_dashboard") == "1"]
    shown = [json.loads(content)["uid"] for data in labelled for content in data.values()]
    assert sorted(shown) == sorted(dashboard["uid"] for dashboard in catalogue.dashboards().values())


def test_prometheus_selects_what_bears_its_label(stack: Stack) -> None:
    for kind in ("PodMonitor", "PrometheusRule"):
        for resource in of_kind(stack, kind).values():
            assert resource.inputs["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_it_asks_whom_a_prometheus_of_the_stacks_own_would_ask(stack: Stack) -> None:
    monitors = {
        name.removeprefix("task-manager-"): resource.inputs["spec"]
        for name, resource in of_kind(stack, "PodMonitor").items()
    }
    assert monitors.keys() == {
        *("api", "database", "cache", "broker", "edge", "gateway"),
        *("rabbitmq", "rabbitmq-queues"),
    }
    [queues] = monitors["rabbitmq-queues"]["podMetricsEndpoints"]
    assert (queues["path"], queues["params"]) == (prometheus.QUEUES_PATH, prometheus.QUEUES_PARAMETERS)
    assert monitors["gateway"]["namespaceSelector"]["matchNames"] == ["traefik"]
    edge = stack.find("Deployment", names.EDGE).inputs["spec"]["template"]
    assert monitors["edge"]["selector"]["matchLabels"].items() <= edge["metadata"]["labels"].items()
    assert monitors["edge"]["podMetricsEndpoints"][0]["port"] in {
        port["name"] for container in edge["spec"]["containers"] for port in container["ports"]
    }
    for part, servers in (("cache", names.CACHE), ("broker", names.BROKER)):
        pods = stack.find("StatefulSet", servers).inputs["spec"]["template"]["metadata"]["labels"]
        assert monitors[part]["selector"]["matchLabels"].items() <= pods.items()
        [endpoint] = monitors[part]["podMetricsEndpoints"]
        service = stack.find("Service", names.valkey_exporter(servers))
        namespace = service.inputs["metadata"]["namespace"]
        [address] = [rule["replacement"] for rule in endpoint["relabelings"] if rule["targetLabel"] == "__address__"]
        assert address == f"{service.object_name}.{namespace}:{service.inputs['spec']['ports'][0]['port']:g}"


def test_its_namespace_is_let_in_to_all_that_tell(stack: Stack) -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}}
    policies = of_kind(stack, "NetworkPolicy")
    for name in (names.DATABASE_CLUSTER, names.EDGE, *map(names.valkey_exporter, (names.CACHE, names.BROKER))):
        rules = policies[name].inputs["spec"]["ingress"]
        assert any(peer in rule["from"] for rule in rules), name
    assert stack.values["networkPolicy"]["metricsFrom"] == [peer]
    assert peer not in stack.values["networkPolicy"]["ingressFrom"]


def test_no_server_of_the_stacks_own_is_there(stack: Stack) -> None:
    made = {resource.object_name for resource in stack.objects}
    assert not made & {names.PROMETHEUS, names.ALERTMANAGER, names.GRAFANA}
    assert "metrics" not in stack.outputs["reach"]


def test_the_same_limit_of_series_holds(stack: Stack) -> None:
    limits = {resource.inputs["spec"]["sampleLimit"] for resource in of_kind(stack, "PodMonitor").values()}
    assert limits == {prometheus.SAMPLES}
