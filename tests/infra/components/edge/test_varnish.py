"""The edge in the cluster, and who is told after a release."""

import pytest

from infra import names
from infra.components.edge import varnish_config, varnish_exporter
from infra.components.edge.cache_rules import RULES
from infra.components.edge.varnish import IMAGE
from infra.config.sizes import SURGE
from local.images import catalogue as images
from tests.infra import engine
from tests.infra.engine import Stack

HOST = {"task-manager:phase": "2", "task-manager:hostname": "tasks.example.com"}


def test_phase_3_has_two_of_it_each_with_the_rules_in_its_configuration(phase3: Stack) -> None:
    spec = phase3.find("Deployment", names.EDGE).inputs["spec"]
    assert spec["replicas"] == 2
    text = phase3.find("ConfigMap", names.EDGE).inputs["data"]["default.vcl"]
    assert text == varnish_config.vcl(names.EDGE_ORIGIN, names.API_PORT)
    for rule in RULES:
        assert f"set beresp.ttl = {rule.keep}s;\n        set beresp.grace = {rule.stale}s;" in text
    budget = phase3.find("PodDisruptionBudget", names.EDGE).inputs["spec"]
    assert (budget["maxUnavailable"], budget["selector"]) == (1, spec["selector"])


def test_a_changed_rule_is_a_changed_pod(phase3: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(stack: Stack) -> str:
        template = stack.find("Deployment", names.EDGE).inputs["spec"]["template"]
        return str(template["metadata"]["annotations"]["task-manager/configuration"])

    before = version(phase3)
    monkeypatch.setattr(varnish_config, "vcl", lambda *_: "another")
    assert version(engine.run(engine.stack_file("phase3"), "phase3")) != before


def test_it_calls_the_api_by_a_service_that_is_there_before_the_release(phase3: Stack) -> None:
    origin = phase3.find("Service", names.EDGE_ORIGIN)
    assert origin.inputs["spec"]["selector"] == names.ServiceNames().server_labels
    assert origin.urn in phase3.find("Release").dependencies
    assert phase3.find("Release").urn not in origin.dependencies


def test_it_watches_the_address_of_the_service_that_it_calls(phase3: Stack) -> None:
    container = phase3.find("Deployment", names.EDGE).inputs["spec"]["template"]["spec"]["containers"][0]
    host = container["command"][4]
    assert container["command"] == varnish_config.watched(host, container["command"][6:])
    assert f'.host = "{host}"' in phase3.find("ConfigMap", names.EDGE).inputs["data"]["default.vcl"]
    assert phase3.find("Service", host)


def test_its_pods_write_to_memory_alone_and_stop_after_the_endpoints_have_forgotten_them(phase3: Stack) -> None:
    spec = phase3.find("Deployment", names.EDGE).inputs["spec"]["template"]["spec"]
    container = spec["containers"][0]
    work = next(volume for volume in spec["volumes"] if volume["name"] == "work")
    assert work["emptyDir"]["medium"] == "Memory"
    [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == "work"]
    assert container["command"][container["command"].index("-n") + 1] == mount["mountPath"]
    assert container["lifecycle"]["preStop"]["sleep"]["seconds"] < spec["terminationGracePeriodSeconds"]
    assert container["image"] == IMAGE


def test_an_exporter_tells_of_each_pod_and_can_neither_change_it_nor_take_it_away(phase3: Stack) -> None:
    template = phase3.find("Deployment", names.EDGE).inputs["spec"]["template"]
    server, exporter = template["spec"]["containers"]
    [work] = [mount for mount in server["volumeMounts"] if mount["name"] == "work"]
    assert exporter["volumeMounts"] == [{**work, "readOnly": True}]
    assert exporter["command"][exporter["command"].index("-n") + 1] == work["mountPath"]
    assert "readinessProbe" not in exporter
    [port] = exporter["ports"]
    assert (
        template["metadata"]["annotations"].items()
        >= {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": f"{port['containerPort']:g}",
        }.items()
    )
    assert f":{port['containerPort']:g}" in exporter["command"]


def test_the_exporter_reads_what_a_server_of_its_own_release_has_written() -> None:
    release = IMAGE.rpartition(":")[2].rpartition(".")[0]
    assert f"-varnish-{release}." in varnish_exporter.IMAGE
    assert images.EDGE_EXPORTER_IMAGE.reference == varnish_exporter.IMAGE


def test_everything_is_dropped_after_the_release_and_again_after_the_next(phase3: Stack) -> None:
    job = phase3.find("Job", names.PURGE)
    assert phase3.find("Release").urn in job.dependencies
    [container] = job.inputs["spec"]["template"]["spec"]["containers"]
    assert container["image"] == phase3.outputs["image"], "another image is another Job"
    assert container["args"] == ["--server", f"{names.EDGE_PODS}:{names.EDGE_PURGE_PORT}"]
    pods = phase3.find("Service", names.EDGE_PODS).inputs["spec"]
    assert (pods["clusterIP"], pods["selector"]) == (
        "None",
        phase3.find("Deployment", names.EDGE).inputs["spec"]["selector"]["matchLabels"],
    )


def test_only_the_gateway_asks_it_and_only_the_job_tells_it_to_drop(phase3: Stack) -> None:
    gateway, purge, _metrics = phase3.find("NetworkPolicy", names.EDGE).inputs["spec"]["ingress"]
    [peer] = gateway["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "traefik"}
    assert [port["port"] for port in gateway["ports"]] == [names.EDGE_PORT]
    assert purge["from"] == [{"podSelector": {"matchLabels": names.PURGE_LABELS}}]
    assert [port["port"] for port in purge["ports"]] == [names.EDGE_PURGE_PORT]


@pytest.mark.parametrize("config", [HOST, {**engine.stack_file("phase3"), "task-manager:cdn.kind": "none"}])
def test_without_a_cdn_everything_goes_to_the_api(config: dict[str, str]) -> None:
    stack = engine.run(config)
    assert not [resource.name for resource in stack.objects if resource.object_name in (names.EDGE, names.PURGE)]
    assert "edge" not in stack.values["route"]


def test_phase_2_can_have_it_too() -> None:
    stack = engine.run({**HOST, "task-manager:cdn.kind": "edge"})
    assert stack.values["route"]["edge"]["name"] == stack.find("Deployment", names.EDGE).object_name
    assert stack.values["env"]["APP_TRUSTED_HOPS"] == "1"
    template = stack.find("Deployment", names.EDGE).inputs["spec"]["template"]
    assert [each["name"] for each in template["spec"]["containers"]] == ["varnish", "exporter"]


def test_a_rollout_takes_no_pod_away_before_its_successor_is_ready_and_a_quarter_of_them_at_a_time(
    phase3: Stack,
) -> None:
    strategy = phase3.find("Deployment", names.EDGE).inputs["spec"]["strategy"]
    assert strategy == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": f"{SURGE:.0%}", "maxUnavailable": 0},
    }
