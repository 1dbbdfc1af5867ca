"""Prometheus: whom it asks, what it may see, and that it evaluates the rules that are tested."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import names, phases
from infra.components.observability import prometheus
from local.tools import go_tools as tools
from monitoring import catalogue
from tests.infra import engine
from tests.infra.engine import Stack
from tests.infra.variants import VARIANTS
from tests.support.quantities import value_of

SERVICES = {"auth", "tasks", "notifications", "analytics"}
MONITORING = phases.PHASES[3].monitoring


def pod(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.find("StatefulSet", names.PROMETHEUS).inputs["spec"]["template"]
    return found


def test_the_server_takes_its_configuration_and_every_rule(phase3: Stack, tmp_path: Path) -> None:
    data = phase3.find("ConfigMap", names.PROMETHEUS).inputs["data"]
    for name, content in data.items():
        (tmp_path / name).write_text(content.replace("/etc/prometheus", str(tmp_path)))
    promtool = tools.build("prometheus") / "promtool"
    said = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yaml"], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    rules = {f"rules-{path.name}" for path in (engine.ROOT / "monitoring" / "rules").glob("*.yaml")}
    assert rules | {"rules-limits.yaml"} == data.keys() - {"prometheus.yaml"}
    assert f"SUCCESS: {len(rules) + 1} rule files found" in said.stdout


def test_the_image_is_of_the_version_that_tests_the_rules() -> None:
    assert f"docker.io/prom/prometheus:v{tools.PROMETHEUS_VERSION}" == prometheus.IMAGE


def test_changed_rules_change_the_pod(monkeypatch: pytest.MonkeyPatch, phase3: Stack, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("groups: []\n")
    monkeypatch.setattr(prometheus, "RULES", tmp_path)
    assert pod(engine.run(engine.stack_file("phase3"), "phase3")) != pod(phase3)


@pytest.mark.parametrize(
    ("name", "namespace"),
    [(names.PROMETHEUS, "task-manager-phase3"), ("task-manager-phase3-prometheus", "traefik")],
)
def test_it_may_list_the_pods_of_its_own_namespace_and_of_the_gateways(
    phase3: Stack, name: str, namespace: str
) -> None:
    role = phase3.find("Role", name)
    assert role.inputs["metadata"]["namespace"] == namespace
    (rule,) = role.inputs["rules"]
    assert rule == {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    binding = phase3.find("RoleBinding", name).inputs
    assert binding["metadata"]["namespace"] == namespace
    assert binding["roleRef"]["name"] == name
    (subject,) = binding["subjects"]
    assert subject["name"] == pod(phase3)["spec"]["serviceAccountName"]
    assert subject["namespace"] == "task-manager-phase3"


def test_it_looks_for_pods_in_its_own_namespace_and_in_the_gateways_and_nowhere_else() -> None:
    own = [{"role": "pod", "namespaces": {"own_namespace": True}}]
    gateways = [{"role": "pod", "namespaces": {"names": ["edge"]}}]
    jobs = prometheus.configuration(prometheus.Proxies("edge"))["scrape_configs"]
    looks = {job["job_name"]: job["kubernetes_sd_configs"] for job in jobs if "kubernetes_sd_configs" in job}
    mine = ("annotated", "database", "valkey", "rabbitmq", "rabbitmq-queues")
    assert looks == {**dict.fromkeys(mine, own), "gateway": gateways}


@pytest.mark.parametrize(
    ("name", "services"),
    [("phase3", {"all"}), ("phase4", SERVICES), ("phase4-move", {"all"}), ("phase4-route", SERVICES)],
)
def test_rules_are_told_the_bounds_of_each_services_autoscaler(name: str, services: set[str]) -> None:
    variant = VARIANTS[name]
    stack = engine.run(variant.config, variant.stack, deployed=variant.deployed)
    file = yaml.safe_load(stack.find("ConfigMap", names.PROMETHEUS).inputs["data"]["rules-limits.yaml"])
    told = {
        (rule["labels"]["service"], rule["record"].rpartition(":")[2]): rule["expr"]
        for rule in file["groups"][0]["rules"]
        if rule["record"].startswith("task_manager:api_replicas:")
    }
    releases = {
        release.inputs["values"]["apiService"]: release.inputs["values"]["autoscaling"]
        for release in stack.releases
        if release.inputs["values"]["apiService"] in services
    }
    assert releases.keys() == services
    assert told == {
        (service, bound): f"vector({scaling[f'{bound}Replicas']:g})"
        for service, scaling in releases.items()
        for bound in ("min", "max")
    }


def test_the_former_broker_keeps_its_exporter_while_services_move() -> None:
    variant = VARIANTS["phase4-move"]
    stack = engine.run(variant.config, variant.stack, deployed=variant.deployed)
    assert stack.find("Deployment", names.valkey_exporter(names.BROKER))


def test_targets_carry_the_service_of_their_release_or_database() -> None:
    jobs = {
        each["job_name"]: each
        for each in prometheus.configuration(prometheus.Proxies(istio=True, meshed=True))["scrape_configs"]
    }
    instance = "__meta_kubernetes_pod_label_app_kubernetes_io_instance"
    for name, label, found in (
        ("annotated", instance, {"task-manager": "all", "task-manager-tasks": "tasks", "another": ""}),
        ("sidecar", instance, {"task-manager-auth": "auth"}),
        ("database", "__meta_kubernetes_pod_label_task_manager_service", {"": "all", "tasks": "tasks"}),
    ):
        rules = [rule for rule in jobs[name]["relabel_configs"] if rule.get("target_label") == "service"]
        assert {value: relabelled(rules, {label: value}) for value in found} == found


def relabelled(rules: list[dict[str, Any]], labels: dict[str, str]) -> str:
    """Return the label that rules give a target, as Prometheus applies them."""
    written = ""
    for rule in rules:
        value = ";".join(labels.get(source, "") for source in rule.get("source_labels", []))
        if found := re.fullmatch(rule.get("regex", "(.*)"), value):
            written = found.expand(rule.get("replacement", "$1").replace("$", "\\"))
    return written


@pytest.mark.parametrize("name", ["phase3-sizes", "phase4-one-service", "phase4-move-standard"])
def test_rules_are_told_the_size_of_the_volumes_of_each_cluster_of_the_database(name: str) -> None:
    variant = VARIANTS[name]
    stack = engine.run(variant.config, variant.stack, deployed=variant.deployed)
    file = yaml.safe_load(stack.find("ConfigMap", names.PROMETHEUS).inputs["data"]["rules-limits.yaml"])
    rules = [rule for group in file["groups"] for rule in group["rules"]]
    told = {
        (rule["record"], rule["labels"]["service"]): rule["expr"]
        for rule in rules
        if rule["record"].startswith("task_manager:database_")
    }
    sizes = {}
    for cluster in (each.inputs["spec"] for each in stack.objects if each.kind == "Cluster"):
        service = cluster["inheritedMetadata"]["labels"].get("task-manager/service", names.ALL)
        for volume, spec in (("volume", "storage"), ("wal_volume", "walStorage")):
            size = int(value_of(cluster.get(spec, {"size": "0"})["size"]))
            sizes[f"task_manager:database_{volume}:bytes", service] = f"vector({size})"
    assert told == sizes
    assert set(catalogue.exported()["The stack's program"]) == {rule["record"] for rule in rules}


def test_rules_are_told_the_size_of_every_other_volume_that_its_server_tells_the_use_of(phase3: Stack) -> None:
    file = yaml.safe_load(phase3.find("ConfigMap", names.PROMETHEUS).inputs["data"]["rules-limits.yaml"])
    told = {
        rule["labels"]["volume"]: rule["expr"]
        for rule in file["groups"][0]["rules"]
        if rule["record"] == "task_manager:volume:bytes"
    }
    claims = {
        server.object_name.removeprefix("task-manager-"): server.inputs["spec"]["volumeClaimTemplates"][0]
        for server in phase3.objects
        if server.kind == "StatefulSet"
    }
    sizes = {
        name: int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi"))
        for name, claim in claims.items()
    }
    assert told == {name: f"vector({size * 1024**3})" for name, size in sizes.items()}
    measured = {
        rule["labels"]["volume"] for rule in catalogue.rules() if rule.get("record") == "task_manager:volume_used:ratio"
    }
    assert measured == {*sizes, "database", "database-log"}


def test_samples_leave_before_the_volume_is_full() -> None:
    assert MONITORING
    row = dataclasses.replace(MONITORING, retention=3, storage=10)
    flags = dict(flag.split("=", 1) for flag in prometheus.arguments(row))
    assert flags["--storage.tsdb.retention.time"] == "3d"
    assert int(flags["--storage.tsdb.retention.size"].removesuffix("MB")) < 9 * 1024


def test_a_pod_of_wild_series_is_refused_and_the_others_are_kept() -> None:
    limits = [job["sample_limit"] for job in prometheus.configuration(prometheus.Proxies("traefik"))["scrape_configs"]]
    assert all(2000 <= limit <= 5000 for limit in limits)


def test_it_is_called_at_its_service(phase3: Stack) -> None:
    service = phase3.find("Service", names.PROMETHEUS).inputs["spec"]
    assert service["selector"].items() <= pod(phase3)["metadata"]["labels"].items()
    assert service["selector"].items() >= names.PROMETHEUS_LABELS.items()
    assert [port["port"] for port in service["ports"]] == [names.PROMETHEUS_PORT]


def test_the_adapter_of_the_autoscaler_is_let_in(phase3: Stack) -> None:
    (rule,) = phase3.find("NetworkPolicy", names.PROMETHEUS).inputs["spec"]["ingress"]
    (peer,) = rule["from"]
    namespace = engine.stack_file("phase3")["task-manager:monitoring.adapter_namespace"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": namespace}
    assert "podSelector" not in peer
    assert [port["port"] for port in rule["ports"]] == [names.PROMETHEUS_PORT]


def test_it_comes_with_phase_2(phase1: Stack, phase2: Stack) -> None:
    assert names.PROMETHEUS not in {resource.object_name for resource in phase1.objects}
    assert phase2.outputs["reach"]["metrics"].endswith("9090")


def test_growing_needs_no_other_volume_and_no_other_name(phase2: Stack, phase3: Stack) -> None:
    servers = [stack.find("StatefulSet", names.PROMETHEUS) for stack in (phase2, phase3)]
    assert len({server.urn.rpartition("::")[2] for server in servers}) == 1
    [before, after] = [server.inputs["spec"]["volumeClaimTemplates"] for server in servers]
    assert before == after
