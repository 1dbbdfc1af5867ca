"""Phase 3 grows to phase 4 in place, under load: each service's tables move to a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from infra.names import DATABASE_NAME, ServiceNames
from tests.e2e.account import Account
from tests.e2e.growth import configuration, titles, up_as_before
from tests.e2e.load import Load, Response, steady_load
from tests.e2e.system import System, wait_for

pytestmark = [pytest.mark.phases(4), pytest.mark.first]

RATE = 20
PAUSE = 5
"""Seconds for which a service's writes may be refused."""
SERVICES = ("auth", "tasks", "notifications", "analytics")

# The gateway stays the one that there is: phase 3's.
KEPT = {
    "gateway": {"port": "8001", "port_tls": "8444"},
    "url": "http://127.0.0.1:30091",
    "url_tls": "https://127.0.0.1:30444",
}


@pytest.fixture
def phase3(phase: int, tmp_path: Path) -> Iterator[System]:
    """The stack of phase 4 as it is in phase 3, at the same size; it is destroyed afterwards."""
    # Both phases are there at once, and more pods while they are replaced.
    system = up_as_before(phase, configuration(phase, tmp_path, phase=3, **KEPT), "--nodes", "2")
    wait_for("both instances are ready", lambda: len(system.api_pods()) == 2, seconds=120)
    yield system
    system.pulumi("destroy", "--yes").ok()


def has_sent(load: Load, requests: int) -> bool:
    return load.sent >= requests


def tables(system: System, database: str) -> set[str]:
    """Return the names of a database's tables."""
    query = "select table_name from information_schema.tables where table_schema = 'public'"
    return {name for [name] in system.sql(query, database=database)}


def paused(responses: list[Response]) -> tuple[list[Response], float]:
    """Return the writes that were refused, and the seconds from the first to the last of them."""
    refused = [each for each in responses if each.status == 503 and each.method == "POST"]
    return refused, (max(each.sent for each in refused) - min(each.sent for each in refused)) if refused else 0.0


def test_tables_move_to_databases_of_their_own_without_a_failed_request_or_a_lost_row(
    phase3: System, tmp_path: Path, artefacts: Path
) -> None:
    system, grown = phase3, configuration(phase3.phase, tmp_path, **KEPT)
    without_former = configuration(system.phase, tmp_path, **KEPT, database={"former_tables": "removed"})
    updates = {"move": grown, "route": grown, "retire": grown, "remove": without_former, "done": without_former}
    with Account.create(system.api) as account:
        before = [f"Before {number}" for number in range(50)]
        for title in before:
            assert account.client.post("/tasks", json={"title": title}).status_code == 201
        today = datetime.now(UTC).date()
        paths = ("users/me", "tasks", "notifications", f"statistics?from={today}&to={today}")
        targets = [f"{system.api}/{path}" for path in paths]
        durations, loads, former_tables = {}, [], {}
        for step, configured in updates.items():
            began = monotonic()
            with steady_load(tmp_path, targets, account.token, rate=RATE, tasks=f"{system.api}/tasks") as load:
                wait_for("the load runs", partial(has_sent, load, 200))
                system.pulumi("up", "--yes", "--skip-preview", "--config-file", str(configured)).ok()
                wait_for("the load has gone on", partial(has_sent, load, load.sent + 300))
            durations[step] = monotonic() - began
            loads.append(load)
            assert system.pulumi("stack", "output", "growth").ok().strip() == step
            former_tables[step] = tables(system, DATABASE_NAME)
            account.renew()  # by the session that phase 3 has begun

    responses = [each for load in loads for each in load.responses]
    refused, pause = paused(loads[0].responses)
    failed = [each for each in responses if not each.succeeded and each not in refused]
    stored = [load.stored_tasks(system) for load in loads]
    lost, twice = sum(each.lost for each in stored), sum(each.twice for each in stored)
    record = (
        f"phase 3 to 4 in {', '.join(f'{step} {took:.0f} s' for step, took in durations.items())}:"
        f" {len(responses)} requests at {RATE}/s, {len(failed)} failed, {len(refused)} writes refused within"
        f" {pause:.1f} s, p99 {max(load.p99_ms() for load in loads):.0f} ms;"
        f" {sum(each.acknowledged for each in stored)} tasks acknowledged, {lost} lost, {twice} twice\n"
    )
    (artefacts / "growth.txt").write_text(record)
    assert not failed, (record, failed[:20])
    assert pause <= PAUSE, record
    assert (lost, twice) == (0, 0), record
    assert titles(system, "Before ") == sorted(before)
    assert {"users", "tasks", "notifications"} <= former_tables["retire"]
    assert not {"users", "tasks", "notifications"} & former_tables["remove"]
    releases = {pod["metadata"]["labels"]["app.kubernetes.io/instance"] for pod in system.api_pods()}
    assert releases == {ServiceNames(service).release for service in SERVICES}
    slots = system.sql("select count(*) from pg_replication_slots where slot_type = 'logical'")
    assert slots == [["0"]], "no slot keeps the log"
