"""Slow clients (half a request, none, no reading) do not affect the others."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.account import Account
from tests.e2e.load import steady_load
from tests.e2e.system import System, wait_for
from tests.support.slow_clients import slow_clients

pytestmark = pytest.mark.phases(1, 2)

REQUESTS = 1200
"""A minute: liveness probes would have restarted a pod that answers none of them."""


def restarts(system: System) -> dict[str, int]:
    return {
        pod["metadata"]["name"]: sum(container["restartCount"] for container in pod["status"]["containerStatuses"])
        for pod in system.api_pods()
    }


def test_two_hundred_slow_connections_beside_twenty_requests_a_second_cost_none(
    system: System, account: Account, tmp_path: Path, artefacts: Path
) -> None:
    targets = [f"{system.api}/users/me", f"{system.api}/tasks", f"{system.url}/health/live"]
    wait_for("the API is ready", system.api_pods)
    before = restarts(system)
    address = urlsplit(system.url)
    assert address.hostname
    with (
        slow_clients(address.hostname, address.port or 80) as slow,
        steady_load(tmp_path, targets, account.token, rate=20, tasks=f"{system.api}/tasks") as load,
    ):
        wait_for("the load has run", lambda: load.sent > REQUESTS, seconds=180)
    said = f"{load.requests} requests at 20/s beside {len(slow.clients)} slow connections, {load.failures} failed\n"
    (artefacts / "slow-clients.txt").write_text(said)
    assert load.failures == 0, load.causes
    assert load.p99_ms() < 1000
    assert len(slow.clients) == 200
    assert restarts(system) == before
