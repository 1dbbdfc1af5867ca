"""Workers are killed again and again while they do many small jobs: each effect is there exactly once."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select

from app.jobs.imports import UPLOAD
from app.storage.engine import Database, connect
from app.storage.models import JobFileRow, JobRow, TaskRow
from tests.support.ports import wait_for
from tests.support.server import ROOT, environment
from tests.support.settings import make_settings

JOBS = int(os.environ.get("FAULTS_JOBS", "10000"))
KILLS = 20
VISIBILITY = 3
"""Seconds."""


class Workers:
    """Two worker processes; one that was killed gets a successor."""

    def __init__(self, variables: dict[str, str], log: Path) -> None:
        self._variables = variables
        self._log = log
        self._started = 0
        self._processes = [self._start() for _ in range(2)]

    def kill(self, number: int) -> None:
        """End a worker as the kernel's memory killer does, and start another."""
        self._processes[number].kill()
        self._processes[number].wait(10)
        self._processes[number] = self._start()

    def wait(self) -> None:
        """Wait until the worker that was started last takes jobs."""
        wait_for(lambda: b" ready." in self._newest().read_bytes(), "a worker is ready")

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait(10)

    def _newest(self) -> Path:
        return self._log / f"worker-{self._started}.log"

    def _start(self) -> "subprocess.Popen[bytes]":
        self._started += 1
        with self._newest().open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "app", "worker"], cwd=ROOT, env=self._variables, stdout=log, stderr=log
            )


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    connected = connect(make_settings(postgres_url))
    yield connected
    connected.dispose()


@pytest.fixture
def workers(postgres_url: str, valkey: str, tmp_path: Path) -> Iterator[Workers]:
    started = Workers(
        environment(
            tmp_path,
            postgres_url,
            0,
            APP_PORT="8000",
            APP_JOBS="celery",
            APP_BROKER_URL=f"{valkey}/1",
            APP_VISIBILITY_TIMEOUT=str(VISIBILITY),
            APP_JOB_POLL="0.2",
        ),
        tmp_path,
    )
    yield started
    started.stop()


def queue_imports(database: Database, number: int) -> set[str]:
    """Queue imports of one task each, and return the titles of the tasks."""
    now, user_id = datetime.now(UTC), uuid4()
    jobs = [uuid4() for _ in range(number)]
    row = {
        "user_id": user_id, "kind": "import", "state": "queued", "parameters": {}, "checkpoint": {}, "done": 0,
        "refused": 0, "attempts": 0, "cancelling": False, "created_at": now, "due_at": now,
    }  # fmt: skip
    piece = {"name": UPLOAD, "position": 0, "at": now}
    with database.writer.begin() as connection:
        connection.execute(insert(JobRow), [{**row, "id": job} for job in jobs])
        connection.execute(
            insert(JobFileRow), [{**piece, "job_id": job, "data": f"title\n{job}\n".encode()} for job in jobs]
        )
    return {str(job) for job in jobs}


def in_state(database: Database, *states: str) -> set[UUID]:
    with database.reader.begin() as connection:
        return set(connection.scalars(select(JobRow.id).where(JobRow.state.in_(states))))


def succeeded(database: Database) -> int:
    with database.reader.begin() as connection:
        return connection.scalar(select(func.count()).where(JobRow.state == "succeeded")) or 0


def test_each_effect_is_there_exactly_once_though_workers_are_killed(database: Database, workers: Workers) -> None:
    titles = queue_imports(database, JOBS)
    longest = 0.0
    for kill in range(KILLS):
        # spread over the whole run; the last ones at the latest when few jobs are left
        wait_for(lambda: succeeded(database) >= JOBS * kill // (KILLS + 1) + 1, f"jobs before kill {kill}", 120)  # noqa: B023
        workers.wait()
        held = in_state(database, "running")
        workers.kill(kill % 2)
        killed = time.monotonic()
        wait_for(lambda: not held & in_state(database, "queued", "running"), "the jobs held go on", 30)  # noqa: B023
        longest = max(longest, time.monotonic() - killed)
    wait_for(lambda: succeeded(database) == JOBS, "all jobs succeed", 180)
    with database.reader.begin() as connection:
        effects = Counter(connection.scalars(select(TaskRow.title)))
    assert set(effects) == titles
    assert set(effects.values()) == {1}
    assert longest <= 2 * VISIBILITY, f"a job waited {longest:.1f} s"
    sys.stdout.write(f"{JOBS} jobs, {KILLS} kills; the longest wait for a killed worker's job: {longest:.2f} s\n")
