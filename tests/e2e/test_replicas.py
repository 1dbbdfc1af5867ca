"""Reads from replicas in phase 3, with read-your-writes consistency."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from tests.e2e.account import Account
from tests.e2e.faults import ROLE, names, primary, wait_until_ready
from tests.e2e.system import System, wait_for

pytestmark = pytest.mark.phases(3)

LAG = 5.0
READS = 200


def table_scans(system: System, pod: str) -> int:
    """Return how often an instance has scanned the table of tasks."""
    query = "select coalesce(seq_scan, 0) + coalesce(idx_scan, 0) from pg_stat_user_tables where relname = 'tasks'"
    [[number]] = system.sql(query, pod)
    return int(number)


def test_reads_go_to_replicas(system: System, account: Account, artefacts: Path) -> None:
    wait_until_ready(system)
    leader, replicas = primary(system), names(system, f"{ROLE}=replica")
    assert account.client.post("/tasks", json={"title": "Read from replicas"}).status_code == 201
    before = {pod: table_scans(system, pod) for pod in (leader, *replicas)}

    def read(number: int) -> int:
        # each asks for something else, so that no answer is kept
        return account.client.get("/tasks", params={"q": f"nothing {number} {monotonic()}"}).status_code

    def share() -> dict[str, float]:
        shares = {pod: table_scans(system, pod) - before[pod] for pod in before}
        return {pod: number / max(1, sum(shares.values())) for pod, number in shares.items()}

    def spread() -> bool:
        with ThreadPoolExecutor(8) as readers:
            assert set(readers.map(read, range(READS))) == {200}
        return min(share()[pod] for pod in replicas) >= 0.05

    # connections lead to one of the replicas each, by chance, and live for a minute
    wait_for("every replica is read from", spread, seconds=300)
    shares = share()
    (artefacts / "reads.json").write_text(
        json.dumps({"primary": shares[leader], **{p: shares[p] for p in replicas}}) + "\n"
    )
    assert shares[leader] <= 0.1, shares


@contextmanager
def replay_paused(system: System) -> Iterator[None]:
    """No replica applies what it receives while the block runs."""
    replicas = names(system, f"{ROLE}=replica")
    for pod in replicas:
        system.sql("select pg_wal_replay_pause()", pod)
    try:
        yield
    finally:
        for pod in replicas:
            system.sql("select pg_wal_replay_resume()", pod)


def test_a_users_own_writes_are_read_while_replicas_lag(system: System, account: Account) -> None:
    wait_until_ready(system)
    written: list[str] = []
    with replay_paused(system):
        began = monotonic()
        while monotonic() < began + LAG or len(written) < 20:
            made = account.client.post("/tasks", json={"title": f"Behind {len(written)}"})
            assert made.status_code == 201
            written.append(made.json()["id"])
            assert account.client.get(f"/tasks/{written[-1]}").status_code == 200
            found = account.client.get("/tasks", params={"limit": 1}).json()["items"]
            assert [task["id"] for task in found] == [written[-1]]
