"""Autoscaling in phase 3: a step of load adds instances within a minute, and its end removes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from time import sleep, time
from typing import Any

import pytest

from tests.e2e.account import Account
from tests.e2e.faults import wait_until_ready
from tests.e2e.instances import ready_instances
from tests.e2e.load import steady_load
from tests.e2e.system import System, wait_for

pytestmark = pytest.mark.phases(3)

BEFORE, STEP = 60, 420
"""Requests a second. The step is 140 for each of three instances, of which the table says 100 are enough."""
CALM = 600
"""Seconds without flapping under the step."""
SLOW = 0.25
"""Seconds within which 99 % of requests are to be answered (monitoring/rules/slo.yaml)."""


@pytest.fixture
def accounts(system: System) -> Iterator[list[Account]]:
    """As many as it takes: one may ask for 200 answers a second."""
    with ExitStack() as stack:
        yield [stack.enter_context(Account.create(system.api)) for _ in range(3)]


def tokens(accounts: list[Account]) -> list[str]:
    """Log in anew: a token lives for 15 minutes, and so may a load."""
    for account in accounts:
        account.log_in()
    return [account.token for account in accounts]


def scaler(system: System) -> dict[str, Any]:
    """Return the autoscaler of the API as it is now."""
    return next(found for found in system.get("hpa") if found["metadata"]["name"] == "task-manager")


def direction_changes(numbers: list[int]) -> int:
    """Return how often a sequence turns from rising to falling or back."""
    steps = [after - before for before, after in pairwise(numbers) if after != before]
    return sum((before > 0) != (after > 0) for before, after in pairwise(steps))


def test_a_step_of_load_adds_instances_and_its_end_takes_them_away(
    system: System, accounts: list[Account], tmp_path: Path, artefacts: Path
) -> None:
    wait_until_ready(system)
    wait_for("as few instances as there may be", lambda: len(system.api_pods()) == 3, seconds=900)
    targets = [f"{system.api}/users/me", f"{system.api}/tasks"]
    for name in ("before", "step", "after"):
        (tmp_path / name).mkdir()
    with ready_instances(system) as seen:
        with steady_load(tmp_path / "before", targets, *tokens(accounts), rate=BEFORE) as calm:
            wait_for("the load runs", lambda: calm.sent > 20 * BEFORE, seconds=90)
        stepped = time()
        with steady_load(tmp_path / "step", targets, *tokens(accounts), rate=STEP) as step:
            wait_for("there are more instances", lambda: len(system.api_pods()) > 3, seconds=180)
            sleep(CALM)  # the claim is about a time: nothing turns for so long
        with steady_load(tmp_path / "after", targets, *tokens(accounts), rate=BEFORE) as after:
            wait_for("the instances have gone", lambda: len(system.api_pods()) == 3, seconds=1200)
    more = [number for _, number in seen]
    first = next(at for at, number in seen if at > stepped and number > 3) - stepped
    under_step = [number for at, number in seen if stepped < at < stepped + CALM]
    row = {
        "first new instance ready after s": round(first, 1),
        "most instances": max(more),
        "least instances": min(more),
        "p99 ms before": round(calm.p99_ms()),
        "p99 ms from 120 s after the step": round(step.p99_ms(stepped + 120)),
        "turns": direction_changes(under_step),
        "requests": [calm.requests, step.requests, after.requests],
        "failed": [calm.failures, step.failures, after.failures],
    }
    (artefacts / "autoscaling.json").write_text(json.dumps(row) + "\n")
    (artefacts / "instances.json").write_text(json.dumps([[round(at - stepped, 1), number] for at, number in seen]))
    assert row["failed"] == [0, 0, 0], (row, calm.causes, step.causes, after.causes)
    assert min(more) >= 3, row
    assert first <= 60, (row, scaler(system)["status"])
    assert step.p99_ms(stepped + 120) <= SLOW * 1000, row
    assert direction_changes(under_step) == 0, (row, under_step)
