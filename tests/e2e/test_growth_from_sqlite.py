"""A running stack on SQLite grows to PostgreSQL: in place, under load, with its data."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import httpx
import pytest

from tests.e2e.account import Account
from tests.e2e.growth import configuration, titles, up_as_before
from tests.e2e.load import steady_load
from tests.e2e.system import run, wait_for

pytestmark = [pytest.mark.phases(2), pytest.mark.first]

RATE = 20
TASKS = 300
NODE_PORT = 30081
"""Where clients of phase 1 are: another stack may be at the usual one."""


def test_phase_2_comes_up_with_the_data_of_phase_1_and_costs_neither_a_request_nor_a_row(
    phase: int, tmp_path: Path, artefacts: Path
) -> None:
    settings = {"node_port": NODE_PORT, "rollout_timeout": 600}
    system = up_as_before(phase, configuration(phase, tmp_path, phase=1, **settings))
    former = f"http://127.0.0.1:{NODE_PORT}/api/v1"
    with Account.create(former) as account:
        before = [f"Before {number}" for number in range(TASKS)]
        for title in before:
            assert account.client.post("/tasks", json={"title": title}).status_code == 201
        targets = [f"{former}/users/me", f"{former}/tasks", f"{former}/tasks?status=done"]
        began = monotonic()
        with steady_load(tmp_path, targets, account.token, rate=RATE, tasks=f"{former}/tasks") as load:
            wait_for("the load runs", lambda: load.sent > 200)
            grown = configuration(phase, tmp_path, phase=phase, **settings)
            said = system.pulumi("up", "--yes", "--skip-preview", "--config-file", str(grown)).ok()
            took = monotonic() - began
            grown_at = load.sent
            wait_for("three instances are ready", lambda: len(system.api_pods()) == 3, seconds=180)
            wait_for("the load has gone on", lambda: load.sent > grown_at + 600)
        carried = system.kubectl("logs", "--selector", "app.kubernetes.io/component=carry").ok().strip()
    # the same session, at the address of the gateway
    with httpx.Client(base_url=system.api, timeout=30) as client:
        moved = Account(client, account.email, account.password, account.tokens)
        refreshed = client.post("/auth/refresh", json={"refresh_token": account.tokens["refresh_token"]})
        assert refreshed.status_code == 200, refreshed.text
        moved.use(refreshed.json())
        assert client.get("/users/me").json()["email"] == account.email

    stored = load.stored_tasks(system)
    record = (
        f"phase 1 on SQLite to phase {phase} in {took:.0f} s: {load.requests} requests at {RATE}/s,"
        f" {load.failures} failed, p99 {load.p99_ms():.0f} ms; {stored.acknowledged} tasks acknowledged,"
        f" {stored.lost} lost, {stored.twice} twice; {carried}\n"
    )
    (artefacts / "growth.txt").write_text(record)
    assert load.failures == 0, (record, load.causes, said)
    assert (stored.lost, stored.twice) == (0, 0), record
    assert titles(system, "Before ") == sorted(before)

    # the volume stays until somebody removes it, which waits for the pod that has read it, though that has ended
    system.kubectl("delete", "jobs", "--selector", "app.kubernetes.io/component=carry").ok()
    system.kubectl("delete", "persistentvolumeclaim", "task-manager-data").ok()
    run("make", "up", f"PHASE={phase}", timeout=1800).ok()
    [service] = system.get("services", "--field-selector", "metadata.name=task-manager")
    assert service["spec"]["type"] == "ClusterIP"
