"""Phase 3 under load while one of its parts is lost: what the clients saw, and that nothing acknowledged is gone."""

from __future__ import annotations

import json
from pathlib import Path
from time import time

import pytest

from tests.e2e.account import Account
from tests.e2e.faults import FAULTS, Fault, cache_is_connected, wait_until_ready
from tests.e2e.load import steady_load
from tests.e2e.system import System, wait_for

pytestmark = pytest.mark.phases(3)

RATE = 20
WRITES_BACK = 15
"""Seconds after which the lost primary's successor takes writes, at the latest."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_lost_part_costs_no_acknowledged_write(
    system: System, account: Account, tmp_path: Path, artefacts: Path, fault: Fault
) -> None:
    wait_until_ready(system)
    targets = [f"{system.api}/users/me", f"{system.api}/tasks", f"{system.api}/tasks?status=done"]
    with steady_load(tmp_path, targets, account.token, rate=RATE, tasks=f"{system.api}/tasks") as load:
        wait_for("the load runs", lambda: load.sent > 10 * RATE)
        began = time()
        fault.inject(system)
        wait_until_ready(system)
        whole_after = time() - began
        whole_at = load.sent
        wait_for("the load has gone on", lambda: load.sent > whole_at + 10 * RATE)
        wait_for("the cache is one cluster", lambda: cache_is_connected(system))

    stored = load.stored_tasks(system)
    row = {
        "fault": fault.name,
        "requests": load.requests,
        "failed": load.failures,
        "acknowledged": stored.acknowledged,
        "lost": stored.lost,
        "twice": stored.twice,
        "last failure after s": round(load.recovery(began), 1),
        "longest without a read s": round(load.gap("GET"), 1),
        "longest without a write s": round(load.gap("POST"), 1),
        "whole again after s": round(whole_after, 1),
    }
    (artefacts / f"fault-{fault.name.replace(' ', '-')}.json").write_text(json.dumps(row) + "\n")
    assert (stored.lost, stored.twice) == (0, 0), row
    assert load.failures == 0 or fault.may_fail, (row, load.causes)
    if fault.name == "primary killed":
        assert load.gap("POST") <= WRITES_BACK, (row, load.causes)
        assert not [answer for answer in load.failed if answer.method == "GET"], (row, load.causes)
