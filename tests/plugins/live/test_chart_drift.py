"""The drift of the project's own chart: none where nobody has changed anything, and each change by hand."""

from pathlib import Path
from typing import Any

import pytest

from infra.components.workload.chart import CHART
from infra.names import RELEASE as NAME
from local import paths
from local.plugins.kubernetes_provider.client import MERGE_PATCH, Client
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.release import drift, record
from local.plugins.kubernetes_provider.release.lifecycle import ReleaseLifecycle
from local.plugins.kubernetes_provider.tokens import RELEASE
from tests.contract.chart import values_of
from tests.plugins.live.resources import Resources


@pytest.fixture
def installed(cluster: Cluster, namespace: str) -> None:
    """The chart with the values of phase 1, its pods not waited for: no node runs them."""
    releases = Resources(ReleaseLifecycle(cluster), cluster)
    inputs: dict[str, Any] = {
        "name": NAME,
        "namespace": namespace,
        "chart": str(Path(paths.ROOT, CHART)),
        "values": values_of("phase1"),
        "skipAwait": True,
        "disableWebhooks": True,
    }
    releases.create(inputs, RELEASE)


@pytest.mark.usefixtures("installed")
def test_an_autoscaler_and_a_deployment_that_were_edited_are_found_and_brought_back(
    cluster: Cluster, client: Client, namespace: str
) -> None:
    def found() -> list[drift.Drift]:
        latest = record.latest(client, namespace, NAME)
        assert latest is not None
        return list(drift.find(cluster, latest))

    assert [str(change) for change in found()] == []
    scaler = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{NAME}"
    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/{NAME}"
    before = client.get(scaler)["spec"]["maxReplicas"]
    for path, spec in ((scaler, {"maxReplicas": 9}), (deployment, {"minReadySeconds": 99, "paused": True})):
        client.request("PATCH", path, {"fieldManager": "kubectl-edit"}, {"spec": spec}, MERGE_PATCH)
    # That a rollout is paused stands in no manifest: an upgrade would leave it, too.
    told = [str(change) for change in found()]
    assert f"HorizontalPodAutoscaler {namespace}/{NAME}: spec.maxReplicas" in told
    assert f"Deployment {namespace}/{NAME}: spec.minReadySeconds" in told
    for change in found():
        drift.mend(cluster, change)
    assert client.get(scaler)["spec"]["maxReplicas"] == before
    assert found() == []
