"""Workers killed again and again under many jobs: each effect is there exactly once."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.database.engine import Database
from tests.support.ports import wait_for
from tests.support.workers import Workers, effects, in_state, queue_imports, succeeded

JOBS = int(os.environ.get("FAULTS_JOBS", "300"))
KILLS = int(os.environ.get("FAULTS_KILLS", "2"))
"""`make faults` asks for the numbers of the specification: 10,000 jobs, 20 kills."""

VISIBILITY = 5
"""Seconds."""


@pytest.fixture
def workers(postgres_url: str, valkey: str, tmp_path: Path) -> Iterator[Workers]:
    with Workers(tmp_path, postgres_url, f"{valkey}/1", VISIBILITY) as started:
        yield started


def test_each_effect_is_there_exactly_once_though_workers_are_killed(database: Database, workers: Workers) -> None:
    wanted = queue_imports(database, JOBS)
    longest = 0.0
    for kill in range(KILLS):
        # spread over the whole run
        wait_for(lambda: succeeded(database) > JOBS * kill // (KILLS + 1), f"jobs before kill {kill}", 300)  # noqa: B023
        workers.wait()
        held = workers.kill_within_a_job(kill % 2, database)
        killed = time.monotonic()
        wait_for(lambda: not held & in_state(database, "queued", "running"), "the jobs held go on", 60)  # noqa: B023
        longest = max(longest, time.monotonic() - killed)
    wait_for(lambda: succeeded(database) == JOBS, "all jobs succeed", 600)
    assert effects(database) == wanted
    assert longest <= 2 * VISIBILITY, f"a job waited {longest:.1f} s"
    sys.stdout.write(f"{JOBS} jobs, {KILLS} kills; the longest wait for a killed worker's job: {longest:.2f} s\n")
