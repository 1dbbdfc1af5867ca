"""Checks and repairs before an update, with a real API server and the real helm, whichever provider is used."""

import io
import json
from dataclasses import dataclass, field
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
    kubeconfig: str | None = None
    config: dict[str, str] = field(default_factory=dict)
    imported: list[dict[str, Any]] = field(default_factory=list)

    def run(self, *words: str, **_: Any) -> str:
        """Answer in place of pulumi."""
        if "import" in words:
            self.imported.append(json.loads(Path(words[words.index("--file") + 1]).read_text()))
        if "config" in words:
            return json.dumps({key: {"value": value} for key, value in self.config.items()})
        return json.dumps(self.export())

    def export(self) -> dict[str, Any]:
        outputs = {"namespace": self.namespace} if self.namespace else {}
        inputs = {"clusterIdentifier": self.cluster} if self.cluster else {}
        if self.kubeconfig:
            inputs["kubeconfig"] = self.kubeconfig
        stack_, provider = "pulumi:pulumi:Stack", "pulumi:providers:kubernetes"
        resources = [{"type": stack_, "outputs": outputs}, {"type": provider, "inputs": inputs}]
        return {"deployment": {"resources": resources}}


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, plane: ControlPlane, client: Client, namespace: str) -> State:
    """A stack of this cluster; a test may change it."""
    kept = State(namespace, client.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    monkeypatch.setattr(pulumi, "run", kept.run)
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


@pytest.mark.parametrize("command", ["check", "prepare"])
def test_a_path_of_another_machine_is_taken_out_of_the_state(state: State, command: str, tmp_path: Path) -> None:
    state.kubeconfig = str(tmp_path / "gone")
    assert output_of(command) == [
        "stack prod: the path of a kubeconfig that is not there has been taken out of its state"
    ]
    [written] = state.imported
    [provider] = [each for each in written["deployment"]["resources"] if each["type"] == "pulumi:providers:kubernetes"]
    assert provider["inputs"] == {"clusterIdentifier": state.cluster}


def test_a_kubeconfig_that_is_there_is_left_to_the_update(state: State, tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    state.kubeconfig = str(tmp_path / "here")
    assert output_of("check") == []
    assert state.imported == []


def test_two_contexts_that_differ_are_refused_in_one_line(state: State) -> None:
    state.config = {"kubernetes:context": "prod", "task-manager:context": "staging"}
    with pytest.raises(LocalError, match="kubernetes:context: 'prod' is not the 'staging' of task-manager:context"):
        output_of("check")


def test_the_context_of_the_kubernetes_provider_is_the_one_that_is_asked(state: State) -> None:
    state.config = {"kubernetes:context": "elsewhere"}
    with pytest.raises(LocalError, match="'elsewhere'"):
        output_of("check")


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
