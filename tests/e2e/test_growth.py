"""A running stack grows to the next phase: in place, under load, by the command that brings it up."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest

from tests.e2e.account import Account
from tests.e2e.instances import ready_instances
from tests.e2e.load import steady_load
from tests.e2e.system import ROOT, System, in_shell, run, wait_for

pytestmark = [pytest.mark.phases(3), pytest.mark.first]

RATE = 20


@pytest.fixture
def phase_before(phase: int, tmp_path: Path) -> System:
    """The stack of the phase, up as it is in the phase before: its own file with another number in it."""
    of_stack = ROOT / f"Pulumi.phase{phase}.yaml"
    before = tmp_path / "before.yaml"
    before.write_text(of_stack.read_text().replace(f'phase: "{phase}"', f'phase: "{phase - 1}"'))
    run(".venv/infra/bin/python", "-m", "local", "up", "--phase", str(phase), timeout=3000).ok()
    url = next(line.split()[-1] for line in of_stack.read_text().splitlines() if "task-manager:url:" in line)
    system = System(phase, url)
    in_shell("pulumi", "stack", "select", "--create", system.stack).ok()
    system.pulumi("destroy", "--yes").ok()
    system.pulumi("up", "--yes", "--skip-preview", "--config-file", str(before)).ok()
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
            wait_for("the load runs", lambda: load.so_far() > 200)
            run("make", "up", f"PHASE={system.phase}", timeout=1800).ok()
            took = monotonic() - began
            grown_at = load.so_far()
            wait_for("the load has gone on", lambda: load.so_far() > grown_at + 600)

    kept, least = load.kept(system), min(number for _, number in seen)
    record = (
        f"phase {system.phase - 1} to {system.phase} in {took:.0f} s: {load.requests} requests at {RATE}/s,"
        f" {load.failures} failed, p99 {load.p99_ms():.0f} ms; {kept.acknowledged} tasks acknowledged,"
        f" {kept.lost} lost, {kept.twice} twice; at least {least} instances ready\n"
    )
    (artefacts / "growth.txt").write_text(record)
    assert load.failures == 0, (record, load.causes)
    assert (kept.lost, kept.twice) == (0, 0), record
    rows = system.sql("select title from tasks where title like 'Before %'")
    assert sorted(title for [title] in rows) == sorted(before)
    assert least >= 3, record
