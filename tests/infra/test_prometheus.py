"""Prometheus: whom it asks, what it may see, and that it evaluates the rules that are tested."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import names, phases
from infra.components import prometheus
from local import tools
from tests.infra import engine
from tests.infra.engine import Stack

SHARE = phases.Compute(100, 1000, 512)


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
    rules = [path.name for path in (engine.ROOT / "monitoring" / "rules").glob("*.yaml")]
    assert f"SUCCESS: {len(rules)} rule files found" in said.stdout


def test_the_image_is_of_the_version_that_tests_the_rules() -> None:
    assert f"docker.io/prom/prometheus:v{tools.PROMETHEUS_VERSION}" == prometheus.IMAGE


def test_changed_rules_change_the_pod(monkeypatch: pytest.MonkeyPatch, phase3: Stack, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("groups: []\n")
    monkeypatch.setattr(prometheus, "RULES", tmp_path)
    assert pod(engine.run(engine.stack_file("phase3"), "phase3")) != pod(phase3)


def test_it_sees_the_pods_of_its_own_namespace_and_nothing_else(phase3: Stack) -> None:
    role = phase3.find("Role", names.PROMETHEUS)
    (rule,) = role.inputs["rules"]
    assert rule == {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    binding = phase3.find("RoleBinding", names.PROMETHEUS).inputs
    assert binding["roleRef"]["name"] == role.object_name
    assert [subject["name"] for subject in binding["subjects"]] == [pod(phase3)["spec"]["serviceAccountName"]]
    jobs = yaml.safe_load(phase3.find("ConfigMap", names.PROMETHEUS).inputs["data"]["prometheus.yaml"])
    for job in jobs["scrape_configs"]:
        assert job["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"own_namespace": True}}]


def test_samples_leave_before_the_volume_is_full() -> None:
    row = phases.Monitoring(retention=3, storage=10, prometheus=SHARE, alertmanager=SHARE, grafana=SHARE)
    flags = dict(flag.split("=", 1) for flag in prometheus.arguments(row))
    assert flags["--storage.tsdb.retention.time"] == "3d"
    assert int(flags["--storage.tsdb.retention.size"].removesuffix("MB")) < 9 * 1024


def test_a_pod_of_wild_series_is_refused_and_the_others_are_kept() -> None:
    limits = [job["sample_limit"] for job in prometheus.configuration()["scrape_configs"]]
    assert all(2000 <= limit <= 5000 for limit in limits)


def test_it_is_called_at_its_service(phase3: Stack) -> None:
    service = phase3.find("Service", names.PROMETHEUS).inputs["spec"]
    assert service["selector"].items() <= pod(phase3)["metadata"]["labels"].items()
    assert service["selector"].items() >= names.PROMETHEUS_LABELS.items()
    assert [port["port"] for port in service["ports"]] == [names.PROMETHEUS_PORT]


def test_the_adapter_of_the_autoscaler_is_let_in(phase3: Stack) -> None:
    (rule,) = phase3.find("NetworkPolicy", names.PROMETHEUS).inputs["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": engine.stack_file("phase3")["task-manager:adapter_namespace"]
    }
    assert "podSelector" not in peer
    assert [port["port"] for port in rule["ports"]] == [names.PROMETHEUS_PORT]


def test_it_comes_with_phase_3(phase2: Stack, phase3: Stack) -> None:
    assert names.PROMETHEUS not in {resource.object_name for resource in phase2.objects}
    assert phase3.outputs["reach"]["metrics"].endswith("9090")
