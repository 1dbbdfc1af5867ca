"""A running stack grows to the next phase: in place, under load, by the command that brings it up."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest

from tests.e2e.account import Account
from tests.e2e.growth import configuration, titles, up_as_before
from tests.e2e.instances import ready_instances
from tests.e2e.load import steady_load
from tests.e2e.system import System, run, wait_for

pytestmark = [pytest.mark.phases(3), pytest.mark.first]

RATE = 20


@pytest.fixture
def phase_before(phase: int, tmp_path: Path) -> System:
    """The stack of the phase, up as it is in the phase before."""
    system = up_as_before(phase, configuration(phase, tmp_path, phase=phase - 1))
    wait_for("three instances are ready", lambda: len(system.api_pods()) == 3, seconds=120)
    return system


def test_the_next_phase_comes_up_in_place_and_costs_neither_a_request_nor_a_row(
    phase_before: System, tmp_path: Path, artefacts: Path
) -> None:
    system = phase_before
    with Account.create(system.api) as account:
        before = [f"Before {number}" for number in range(50)]
        for title in before:
            assert account.client.post("/tasks", json={"title": title}).status_code == 201
        targets = [f"{system.api}/users/me", f"{system.api}/tasks", f"{system.api}/tasks?status=done"]
        began = monotonic()
        with (
            steady_load(tmp_path, targets, account.token, rate=RATE, tasks=f"{system.api}/tasks") as load,
            ready_instances(system) as seen,
        ):
            wait_for("the load runs", lambda: load.sent > 200)
            run("make", "up", f"PHASE={system.phase}", timeout=1800).ok()
            took = monotonic() - began
            grown_at = load.sent
            wait_for("the load has gone on", lambda: load.sent > grown_at + 600)

    stored, least = load.stored_tasks(system), min(number for _, number in seen)
    record = (
        f"phase {system.phase - 1} to {system.phase} in {took:.0f} s: {load.requests} requests at {RATE}/s,"
        f" {load.failures} failed, p99 {load.p99_ms():.0f} ms; {stored.acknowledged} tasks acknowledged,"
        f" {stored.lost} lost, {stored.twice} twice; at least {least} instances ready\n"
    )
    (artefacts / "growth.txt").write_text(record)
    assert load.failures == 0, (record, load.causes)
    assert (stored.lost, stored.twice) == (0, 0), record
    assert titles(system, "Before ") == sorted(before)
    assert least >= 3, record
