"""Entry points of worker and beat: they do queued work, report themselves alive, and stop on request."""

import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.bootstrap.container import build
from app.cli.worker import ALIVE
from app.core.events.model import Event
from tests.support.ports import free_port, wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.server import ROOT, environment
from tests.support.settings import make_settings
from tests.support.storage import storage_of


def worker_environment(folder: Path, database_url: str, broker_url: str, **more: str) -> dict[str, str]:
    """Return the environment of a worker with a folder of its own."""
    return environment(
        folder, database_url, 8000, APP_JOBS="celery", APP_BROKER_URL=broker_url, TMPDIR=str(folder), **more
    )


@pytest.fixture(params=["valkey", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """A broker of each kind."""
    if request.param == "valkey":
        return f"{request.getfixturevalue('valkey')}/2"
    server: RabbitMq = request.getfixturevalue("rabbitmq")
    return server.url


def test_a_worker_runs_queued_jobs_and_stops_in_time(postgres_url: str, broker_url: str, tmp_path: Path) -> None:
    parts = build(make_settings(postgres_url))
    job = parts.jobs.queue(uuid4(), "export")
    variables = worker_environment(tmp_path, postgres_url, broker_url, REMAP_SIGTERM="SIGQUIT")
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "app", "worker"], cwd=ROOT, env=variables, stdout=log, stderr=log
        )
    try:
        assert job.user_id is not None
        user_id = job.user_id
        wait_for(lambda: parts.jobs.get(user_id, job.id).state == "succeeded", "the job succeeds")
        assert b"".join(parts.jobs.result(user_id, job.id)[2]).startswith(b"title,")
        wait_for((tmp_path / ALIVE.name).exists, "the worker says that it lives", 30)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(25) == 0, (tmp_path / "log").read_text()
    finally:
        worker.kill()
        worker.wait(5)
        parts.database.dispose()


def test_a_worker_without_a_broker_reports_the_missing_setting(sqlite_url: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "worker"],
        cwd=ROOT,
        env=environment(tmp_path, sqlite_url, 8000),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: APP_BROKER_URL: missing (or give APP_BROKER_VIRTUAL_HOST, APP_REDIS_HOST or APP_REDIS_URL)\n"
    )


def test_beat_reports_in_one_line_that_its_port_is_in_use(sqlite_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        variables = environment(tmp_path, sqlite_url, 8000, APP_METRICS_PORT=str(port))
        done = subprocess.run(
            [sys.executable, "-m", "app", "beat"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert (
        done.stderr == f"error: port {port} of 127.0.0.1 is in use: stop what listens there, or set APP_METRICS_PORT\n"
    )


def test_beat_publishes_events_reports_itself_alive_and_stops(sqlite_url: str, tmp_path: Path) -> None:
    from app.cli.beat import ALIVE as BEAT_ALIVE

    parts, port = build(make_settings(sqlite_url)), free_port()
    facts: dict[str, object] = {"email": "grace@example.org", "name": "Grace", "verified": False}
    with storage_of(parts).write() as work:
        work.outbox.add(Event(uuid4(), "user.changed", uuid4(), datetime.now(UTC), facts))

    def carried() -> bool:
        with storage_of(parts).read() as work:
            return not work.outbox.waiting(1)

    variables = environment(tmp_path, sqlite_url, 8000, APP_METRICS_PORT=str(port), TMPDIR=str(tmp_path))
    beat = subprocess.Popen([sys.executable, "-m", "app", "beat"], cwd=ROOT, env=variables)
    try:
        wait_for((tmp_path / BEAT_ALIVE.name).exists, "beat says that it lives")
        wait_for(carried, "the event is carried on")
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        delivered = 'consumer="notifications.recipients",event="user.changed",outcome="handled"} 1.0'
        assert f"task_manager_events_delivered_total{{{delivered}" in metrics
        assert "task_manager_events_waiting 0.0" in metrics
        beat.send_signal(signal.SIGTERM)
        assert beat.wait(10) == 0
    finally:
        beat.kill()
        beat.wait(5)
        parts.database.dispose()
