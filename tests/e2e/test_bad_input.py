"""Wrong input: one clear line, a non-zero exit status, and no change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.growth import configuration
from tests.e2e.system import System, in_shell, run
from tests.support.outcome import Outcome


def assert_clear(outcome: Outcome, *words: str) -> None:
    """The command failed, said these words in one line, and showed no traceback."""
    text = outcome.failed()
    assert any(all(word in line for word in words) for line in text.splitlines()), text


def resources(system: System) -> list[object]:
    """Return what the stack's state says of its resources."""
    state: list[object] = json.loads(system.pulumi("stack", "export").ok())["deployment"]["resources"]
    return state


@pytest.fixture
def unchanged(system: System) -> Iterator[None]:
    """The test changes nothing in the stack."""
    before = resources(system)
    yield
    assert resources(system) == before


@pytest.mark.parametrize(
    ("arguments", "words"), [((), ("no stack is up",)), (("PHASE=2",), ("stack phase2 is not up",))]
)
def test_the_address_of_no_stack_is_an_error_that_says_how_to_get_one(
    tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert_clear(run("make", "url", *arguments, env={"XDG_STATE_HOME": str(tmp_path)}), "make up", *words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("key", "value", "words"), [("phase", "9", ("phase", "9")), ("phase", "two", ("phase", "integer"))]
)
def test_a_wrong_phase_is_named(system: System, tmp_path: Path, key: str, value: str, words: tuple[str, ...]) -> None:
    file = configuration(system.phase, tmp_path, **{key: value})
    assert_clear(system.pulumi("preview", "--config-file", str(file)), *words)


@pytest.mark.usefixtures("unchanged")
def test_a_cluster_that_is_not_reachable_is_named(system: System, tmp_path: Path) -> None:
    nowhere = tmp_path / "kubeconfig"
    nowhere.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {token: t}}]\n"
    )
    outcome = system.pulumi("preview", env={"KUBECONFIG": str(nowhere)})
    assert_clear(outcome, "cannot reach the Kubernetes API server https://127.0.0.1:1")


@pytest.mark.usefixtures("unchanged")
def test_missing_rights_are_named(system: System, tmp_path: Path) -> None:
    in_shell("kubectl", "--namespace", "default", "create", "serviceaccount", "nobody")
    token = in_shell("kubectl", "--namespace", "default", "create", "token", "nobody").ok().strip()
    weak = tmp_path / "kubeconfig"
    weak.write_text(in_shell("kubectl", "config", "view", "--raw", "--flatten").ok())
    shell = ("kubectl", "--kubeconfig", str(weak), "config")
    in_shell(*shell, "set-credentials", "nobody", f"--token={token}").ok()
    in_shell(*shell, "set-context", "--current", "--user=nobody").ok()
    # Something has to change for the API server to be asked: an image does.
    env = {"KUBECONFIG": str(weak), "TASK_MANAGER_IMAGE": "ghcr.io/primetrade/task-manager:another"}
    outcome = system.pulumi("preview", env=env)
    assert_clear(outcome, "no rights: user system:serviceaccount:default:nobody may not")


def test_a_stack_that_another_run_holds_is_named(system: System) -> None:
    holder = in_shell(
        "bash",
        "-c",
        # The second command runs while the first one holds the lock, and its outcome is what counts.
        f"pulumi refresh --yes --stack {system.stack} --non-interactive >/dev/null 2>&1 & "
        'for _ in $(seq 200); do ls "${PULUMI_BACKEND_URL#file://}"/.pulumi/locks/*/*/'
        f"{system.stack}/*.json >/dev/null 2>&1 && break; sleep 0.05; done; "
        f"pulumi up --yes --skip-preview --stack {system.stack} --non-interactive; code=$?; wait; exit $code",
    )
    assert_clear(holder, "locked")


@pytest.mark.phases(1)
def test_an_unknown_phase_of_make_is_named() -> None:
    assert_clear(run("make", "up", "PHASE=7"), "7")


@pytest.mark.phases(1)
def test_the_local_cluster_needs_root() -> None:
    # In a user namespace without a mapping nobody is root, and root's files can still be read.
    assert_clear(run("unshare", "--user", ".venv/infra/bin/python", "-m", "local", "up"), "root", "KUBECONFIG")
