"""Checks and repairs before an update, with a real API server and the real helm, whichever provider is used."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.names import RELEASE as RELEASE_NAME
from local.errors import LocalError
from local.plugins.kubernetes_provider.client import Client
from local.plugins.kubernetes_provider.context import Cluster
from local.plugins.kubernetes_provider.release import record
from local.plugins.kubernetes_provider.release.lifecycle import ReleaseLifecycle
from local.plugins.kubernetes_provider.tokens import RELEASE
from local.stack import preflight, pulumi
from local.tools import environment
from tests.plugins.live.charts import write_chart
from tests.plugins.live.control_plane import ControlPlane
from tests.plugins.live.releases import change_text, set_status, text_of
from tests.plugins.live.resources import Resources


@dataclass
class State:
    """What the engine keeps of the stack."""

    namespace: str | None
    cluster: str | None

    def export(self) -> dict[str, Any]:
        outputs = {"namespace": self.namespace} if self.namespace else {}
        inputs = {"clusterIdentifier": self.cluster} if self.cluster else {}
        stack_, provider = "pulumi:pulumi:Stack", "pulumi:providers:kubernetes"
        resources = [{"type": stack_, "outputs": outputs}, {"type": provider, "inputs": inputs}]
        return {"deployment": {"resources": resources}}


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, plane: ControlPlane, client: Client, namespace: str) -> State:
    """A stack of this cluster; a test may change it."""
    kept = State(namespace, client.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    monkeypatch.setattr(pulumi, "run", lambda *words, **_: json.dumps(kept.export() if "export" in words else {}))
    kubeconfig = str(plane.kubeconfig())
    monkeypatch.setattr(environment, "variables", lambda: {"KUBECONFIG": kubeconfig})
    return kept


@pytest.fixture
def installed(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    """A release of two revisions under the program's name."""
    releases = Resources(ReleaseLifecycle(cluster), cluster)
    inputs = {"name": RELEASE_NAME, "namespace": namespace, "chart": str(write_chart(tmp_path / "chart"))}
    made = releases.create({**inputs, "values": {"text": "one"}}, RELEASE)
    releases.update(made, {**inputs, "values": {"text": "two"}})


def output_of(command: str) -> list[str]:
    """Run one of the commands for the stack, and give the lines that it writes."""
    stream = io.StringIO()
    {"check": preflight.check, "prepare": preflight.prepare}[command]("prod", stream)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("command", ["check", "prepare"])
def test_another_cluster_than_the_stacks_is_refused_in_one_line(state: State, command: str) -> None:
    mine, state.cluster = state.cluster, "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    with pytest.raises(LocalError) as caught:
        output_of(command)
    assert "stack prod is in the cluster 7c9e6679-7425-40de-944b-e07fc1f90ae7, and " in str(caught.value)
    assert f" leads to {mine} " in str(caught.value)


@pytest.mark.parametrize("command", ["check", "prepare"])
def test_a_stack_that_does_not_remember_its_cluster_yet_is_let_through(state: State, command: str) -> None:
    state.cluster = None
    assert output_of(command) == []


@pytest.mark.parametrize("command", ["check", "prepare"])
def test_a_stack_that_was_never_brought_up_is_let_through(state: State, command: str) -> None:
    state.namespace = None
    assert output_of(command) == []


@pytest.mark.usefixtures("state", "installed")
def test_a_release_that_was_left_pending_is_rolled_back(client: Client, namespace: str) -> None:
    set_status(client, namespace, "pending-upgrade", RELEASE_NAME)
    [line] = output_of("prepare")
    assert line.endswith("was left pending-upgrade by an interrupted update: rolling back to revision 1 first")
    found = record.latest(client, namespace, RELEASE_NAME)
    assert found is not None
    assert found.status == record.DEPLOYED
    assert output_of("prepare") == []


@pytest.mark.usefixtures("state", "installed")
def test_what_was_changed_by_hand_is_shown_and_then_brought_back(client: Client, namespace: str) -> None:
    change_text(client, namespace, "theirs", RELEASE_NAME)
    where = f"ConfigMap {namespace}/{RELEASE_NAME}-settings: data.text"
    assert output_of("check") == [f"changed by hand: {where}"]
    assert text_of(client, namespace, RELEASE_NAME) == "theirs"
    assert output_of("prepare") == [f"changed by hand, brought back: {where}"]
    assert text_of(client, namespace, RELEASE_NAME) == "two"
    assert output_of("check") == []
