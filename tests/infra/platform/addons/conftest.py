"""Runs of the installation that many tests look at."""

from collections.abc import Callable
from typing import Any

import pulumi_kubernetes as kubernetes
import pytest

from infra.platform.addons import AddonSettings, install
from infra.platform.addons.install import ADDONS
from infra.platform.addons.versions import CHARTS
from infra.platform.clusters.base import ConnectedCluster
from tests.infra import engine
from tests.infra.engine import Resource, Stack

EVERYTHING = {
    "prometheus_operator": "install",
    "external_secrets": "install",
    "istio": "install",
    "acme_email": "ops@example.com",
}
IDENTITY = {
    "cluster_name": "tasks",
    "vpc_id": "vpc-1",
    "load_balancer_controller_role": "arn:aws:iam::1:role/load-balancer",
}

Installed = Callable[..., Stack]


@pytest.fixture(autouse=True)
def _no_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the installation from looking at the cluster of whoever runs the tests."""
    monkeypatch.setattr("infra.platform.addons.present.connect", lambda _: None)


@pytest.fixture
def installed() -> Installed:
    """Install with these settings on a cluster of this cloud."""

    def run(cloud: str = "provided", **settings: Any) -> Stack:
        def program() -> None:
            cluster = ConnectedCluster(
                provider=kubernetes.Provider("cluster"),
                kubeconfig=None,
                cloud=cloud,
                region="eu-central-1",
                identity=IDENTITY,
            )
            install(AddonSettings.model_validate(settings), cluster)

        return engine.record(program, project="task-manager-platform")

    return run


@pytest.fixture
def everything(installed: Installed) -> Stack:
    """Every add-on, on a cluster of AWS."""
    return installed("aws", **EVERYTHING)


def release(stack: Stack, key: str) -> Resource:
    """Return the release of an add-on."""
    return stack.find("Release", CHARTS[key].release_name)


def releases(stack: Stack) -> dict[str, Resource]:
    """Return all releases by add-on."""
    keys = {addon.chart.release_name: addon.key for addon in ADDONS}
    return {keys[each.object_name]: each for each in stack.objects if each.kind == "Release"}
