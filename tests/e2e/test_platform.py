"""From a bare cluster to environments of phases 2 and 3: `make e2e-platform`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.charts.server import serve
from tests.e2e.growth import configuration
from tests.e2e.platform import PORT, Platform
from tests.e2e.system import System, in_shell, items, kubectl, run, wait_for

pytestmark = pytest.mark.bare

PYTHON = ".venv/infra/bin/python"
RELEASES = {
    "kube-system": ["gateway-api-crds", "metrics-server"],
    "traefik": ["traefik"],
    "cert-manager": ["cert-manager"],
    "cnpg-system": ["cloudnative-pg", "plugin-barman-cloud"],
    "monitoring": ["prometheus-adapter"],
}
URLS = {2: "http://127.0.0.1:30090", 3: "http://127.0.0.1:30091"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("platform")


@pytest.fixture(scope="module")
def platform(directory: Path) -> Iterator[Platform]:
    """The stack, not up yet, on a bare cluster with room for phase 3; afterwards the cluster is down."""
    run(PYTHON, "-m", "tests.charts", str(directory), timeout=600).ok()
    run(PYTHON, "-m", "local", "up", "--phase", "3", "--bare", timeout=3000).ok()
    with serve(directory / "repository", PORT):
        stack = Platform.configured(directory)
        stack.create()
        yield stack
    run(PYTHON, "-m", "local", "down").ok()


def releases(namespace: str) -> list[str]:
    """Return the names of the Helm releases of a namespace."""
    return sorted(
        {each["metadata"]["labels"]["name"] for each in items("secrets", "-n", namespace, "-l", "owner=helm")}
    )


def test_a_bare_cluster_has_no_add_ons(platform: Platform) -> None:
    del platform
    groups = kubectl("api-versions").ok().split()
    absent = ("postgresql.cnpg.io", "gateway.networking", "traefik.io", "cert-manager.io", "metrics.k8s.io")
    assert not [group for group in groups if any(name in group for name in absent)]


def test_one_update_installs_every_add_on(platform: Platform) -> None:
    platform.run("up", "--yes", "--skip-preview").ok()
    assert {namespace: releases(namespace) for namespace in RELEASES} == RELEASES
    for name in ("v1beta1.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io"):
        kubectl("wait", f"apiservice/{name}", "--for=condition=Available", "--timeout=60s").ok()
    kubectl("wait", "gatewayclass/traefik", "--for=condition=Accepted", "--timeout=60s").ok()
    wait_for("pods can be measured", lambda: kubectl("top", "nodes").code == 0, seconds=60)


def test_a_second_update_changes_nothing(platform: Platform) -> None:
    platform.run("preview", "--expect-no-changes").ok()
    platform.run("up", "--yes", "--expect-no-changes").ok()


@pytest.mark.parametrize("phase", [2, 3])
def test_an_environment_comes_up_on_it(platform: Platform, directory: Path, phase: int) -> None:
    del platform
    changed = {"monitoring": {"grafana": False}} if phase == 3 else {}
    system = System(phase, URLS[phase])
    in_shell("pulumi", "stack", "select", "--create", system.stack).ok()
    settings = str(configuration(phase, directory, **changed))
    system.pulumi("up", "--yes", "--skip-preview", "--config-file", settings).ok()
    assert run("curl", "--fail", "--silent", f"{system.url}/health/ready").ok()
    if phase == 3:
        wait_for("the autoscaler sees requests", lambda: sees_requests(system), seconds=180)


def sees_requests(system: System) -> bool:
    """Tell whether the API's autoscaler has a value of the metric that prometheus-adapter serves."""
    [scaler] = [found for found in system.get("hpa") if found["metadata"]["name"] == "task-manager"]
    current = [metric for metric in scaler["status"].get("currentMetrics") or [] if metric["type"] == "Pods"]
    return bool(current)


def test_the_platform_stays_while_environments_stand_on_it(platform: Platform) -> None:
    before = platform.resources()
    said = platform.run("destroy", "--yes").failed()
    assert "environment task-manager-phase2 stands on" in said or "environment task-manager-phase3 stands on" in said
    assert platform.resources() == before
    assert {namespace: releases(namespace) for namespace in RELEASES} == RELEASES
    assert "stands on" in kubectl("delete", "namespace", "cnpg-system").failed()


def test_without_environments_it_goes_and_the_definitions_stay(platform: Platform) -> None:
    for phase in (3, 2):
        System(phase, URLS[phase]).pulumi("destroy", "--yes").ok()
    platform.run("destroy", "--yes").ok()
    for name in ("clusters.postgresql.cnpg.io", "gateways.gateway.networking.k8s.io", "certificates.cert-manager.io"):
        kubectl("get", "crd", name).ok()
    assert not [namespace for namespace in RELEASES if releases(namespace)]


def test_it_comes_up_again_over_the_definitions(platform: Platform) -> None:
    platform.run("up", "--yes", "--skip-preview").ok()
    assert {namespace: releases(namespace) for namespace in RELEASES} == RELEASES
