"""Worker processes, jobs for them, and the effects of these."""

import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from app.core.database.engine import Database
from app.core.jobs.model import UPLOAD
from app.core.jobs.tables import JobFileRow, JobRow
from app.tasks.tables import TaskRow
from tests.support.ports import wait_for
from tests.support.server import ROOT, environment

STEP = 0.5
"""Seconds in which a running worker finishes each of these small jobs."""


class Workers:
    """Two worker processes; a killed one is replaced.

    Args:
        folder: folder for their logs.
        database_url, broker_url: URLs of database and broker.
        visibility: visibility time-out in seconds, after which the job of a killed worker is claimed again.
    """

    def __init__(self, folder: Path, database_url: str, broker_url: str, visibility: int) -> None:
        self._variables = environment(
            folder,
            database_url,
            8000,
            APP_JOBS="celery",
            APP_BROKER_URL=broker_url,
            APP_VISIBILITY_TIMEOUT=str(visibility),
            APP_JOB_POLL="0.2",
            APP_JOB_BACKOFF="0.5",
            APP_JOB_ATTEMPTS="50",
        )
        self._folder = folder
        self._started = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Workers":
        self._processes = [self._start() for _ in range(2)]
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait(10)

    def kill_within_a_job(self, number: int, database: Database) -> set[UUID]:
        """SIGKILL a worker within a job, start another, and return its unfinished jobs."""
        process = self._processes[number]

        def holds_jobs() -> bool:
            process.send_signal(signal.SIGSTOP)
            begun = in_state(database, "running")
            time.sleep(STEP)  # the other worker finishes its jobs meanwhile
            held.update(begun & in_state(database, "running"))
            if not held:
                process.send_signal(signal.SIGCONT)
            return bool(held)

        held: set[UUID] = set()
        wait_for(holds_jobs, "a worker is within a job")
        process.kill()
        process.wait(10)
        self._processes[number] = self._start()
        return held

    def wait(self) -> None:
        """Wait until the worker started last is ready."""
        wait_for(lambda: b" ready." in self._newest().read_bytes(), "a worker is ready")

    def _newest(self) -> Path:
        return self._folder / f"worker-{self._started}.log"

    def _start(self) -> "subprocess.Popen[bytes]":
        self._started += 1
        with self._newest().open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "app", "worker"], cwd=ROOT, env=self._variables, stdout=log, stderr=log
            )


LINES = 200
"""Tasks per import: enough for a worker to be stopped within it."""


def queue_imports(database: Database, number: int) -> Counter[str]:
    """Queue imports of LINES tasks each; return the expected number of tasks by title."""
    now, user_id = datetime.now(UTC), uuid4()
    jobs = [uuid4() for _ in range(number)]
    row = {
        "user_id": user_id, "kind": "import", "state": "queued", "parameters": {}, "checkpoint": {}, "done": 0,
        "refused": 0, "attempts": 0, "cancelling": False, "created_at": now, "due_at": now,
    }  # fmt: skip
    chunk = {"name": UPLOAD, "position": 0, "at": now}
    with database.writer.begin() as connection:
        connection.execute(insert(JobRow), [{**row, "id": job} for job in jobs])
        connection.execute(
            insert(JobFileRow),
            [{**chunk, "job_id": job, "data": b"title\n" + f"{job}\n".encode() * LINES} for job in jobs],
        )
    return Counter({str(job): LINES for job in jobs})


def in_state(database: Database, *states: str) -> set[UUID]:
    """Return the jobs in one of these states."""
    with database.reader.begin() as connection:
        return set(connection.scalars(select(JobRow.id).where(JobRow.state.in_(states))))


def succeeded(database: Database) -> int:
    """Return the number of succeeded jobs."""
    with database.reader.begin() as connection:
        return connection.scalar(select(func.count()).where(JobRow.state == "succeeded")) or 0


def effects(database: Database) -> Counter[str]:
    """Return the number of tasks by title."""
    with database.reader.begin() as connection:
        counted = connection.execute(select(TaskRow.title, func.count()).group_by(TaskRow.title))
        return Counter(dict(counted.all()))
