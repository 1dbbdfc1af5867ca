"""Rules and dashboards from phase 2 on: every expression has data, and can be drawn."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.e2e.account import Account
from tests.e2e.system import ROOT, System, run, wait_for
from tests.support.ports import free_port

pytestmark = pytest.mark.phases(2, 3, 4)

ABSENT = {
    # The example stack of phase 2 has neither backups nor an edge, and a mesh has no edge.
    2: ("backups", "edge", "istio", "key-sets", "rabbitmq", "replicas"),
    3: ("istio", "key-sets", "rabbitmq"),
    4: ("broker", "edge", "traefik"),
}
"""Phase → parts of monitoring.live.OPTIONAL_PARTS that its example stack has not."""

PYTHON = ".venv/infra/bin/python"


@contextmanager
def prometheus_of(system: System) -> Iterator[str]:
    """The address of the stack's Prometheus, by the way that the stack's outputs name."""
    port = free_port()
    script = (
        f'eval "$({PYTHON} -m local env)"; exec kubectl --namespace {system.namespace}'
        f" port-forward service/task-manager-prometheus {port}:9090"
    )
    with subprocess.Popen(["bash", "-ec", script], cwd=ROOT, stdout=subprocess.DEVNULL) as forward:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for("Prometheus answers", lambda: _answers(url))
            yield url
        finally:
            forward.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def use_each_service(system: System, account: Account) -> None:
    """Ask each service for something, and have something done that makes an event."""
    today = datetime.now(UTC).date()
    assert account.client.post("/tasks", json={"title": "to be counted"}).status_code == 201
    for path in ("/tasks", "/users/me", "/notifications", f"/statistics?from={today}&to={today}"):
        assert account.client.get(path).status_code == 200, path
    assert httpx.get(system.url).status_code == 200


def test_all_that_rules_and_dashboards_ask_for_is_there_and_can_be_drawn(
    system: System, account: Account, artefacts: Path
) -> None:
    with prometheus_of(system) as url:

        def whole() -> bool:
            use_each_service(system, account)
            done = run(PYTHON, "-m", "monitoring.live", "--prometheus", url, "--without", *ABSENT[system.phase])
            (artefacts / "live.txt").write_text(done.text)
            return done.code == 0

        try:
            wait_for("every expression has data", whole, seconds=180)
        except AssertionError as error:
            raise AssertionError((artefacts / "live.txt").read_text()) from error
        run(PYTHON, "-m", "monitoring.draw", "--prometheus", url, "--out", str(artefacts / "dashboards")).ok()
    drawn = {picture.stem for picture in (artefacts / "dashboards").glob("*.png")}
    assert drawn == {file.stem for file in (ROOT / "monitoring" / "dashboards" / "generated").glob("*.json")}
