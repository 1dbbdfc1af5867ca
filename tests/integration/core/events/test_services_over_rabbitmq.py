"""Services in processes of their own: events reach each other's databases, each effect once, whatever is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select

from app.analytics.tables import TaskFactRow
from app.bootstrap.services import SERVICES
from app.core.clock import new_id, utc_now
from app.core.database.engine import connect
from app.core.events.model import Event
from app.core.events.topology import ServiceQueue
from app.core.jobs.tables import JobRow
from app.notifications.tables import NotificationRow
from tests.support.api import V1
from tests.support.ports import wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.server import ROOT, environment, server
from tests.support.settings import make_settings
from tests.support.storage import SystemStorage

QUICK = {"APP_JOB_POLL": "0.1"}


def storage_of(url: str) -> SystemStorage:
    return SystemStorage(connect(make_settings(url)))


def facts(storage: SystemStorage) -> dict[UUID, int]:
    """Return the version of each task that analytics knows."""
    with storage.read() as work:
        rows = work.session.execute(select(TaskFactRow.task_id, TaskFactRow.version))
        return {task_id: version for task_id, version in rows}  # noqa: C416 mypy sees no pairs in rows


def waiting(storage: SystemStorage) -> int:
    with storage.read() as work:
        return work.outbox.backlog()[0]


@pytest.fixture
def urls(tmp_path: Path, migrated_sqlite: bytes) -> dict[str, str]:
    """A database for each service."""
    for name in SERVICES:
        (tmp_path / f"{name}.sqlite").write_bytes(migrated_sqlite)
    return {name: f"sqlite:///{tmp_path / name}.sqlite" for name in SERVICES}


def reminder(number: int, user_id: UUID) -> Event:
    now = utc_now()
    payload = {
        "task_id": str(UUID(int=number + 1)),
        "version": 1,
        "title": f"Task {number}",
        "created_at": now.isoformat(),
        "status": "todo",
        "due_at": None,
        "remind_at": now.isoformat(),
    }
    return Event(new_id(), "task.reminder_due", user_id, now, payload)


def test_events_of_one_service_reach_the_database_of_another_and_no_others(
    rabbitmq: RabbitMq, urls: dict[str, str], tmp_path: Path
) -> None:
    broker = {"APP_EVENTS_URL": rabbitmq.url, **QUICK}
    tasks, others = storage_of(urls["tasks"]), {name: storage_of(urls[name]) for name in SERVICES if name != "tasks"}
    variables = environment(tmp_path, urls["tasks"], 8000, **broker)
    declaring = [sys.executable, "-m", "app", "declare-queues"]
    shown = subprocess.run(declaring, cwd=ROOT, env=variables, check=True, capture_output=True, text=True).stdout
    assert "task-manager.auth: ended_sessions.requested, user.deleted\n" in shown
    of_tasks = "task.import_finished, task.overdue, task.reminder_due"
    assert f"task-manager.notifications: report.ready, session.ended, {of_tasks}, user." in shown
    user_id, deleted = uuid4(), Event(new_id(), "user.deleted", uuid4(), utc_now())
    with tasks.write() as work:
        work.outbox.add_many([reminder(0, user_id), deleted])
    with ExitStack() as stack:
        for name, url in urls.items():
            stack.enter_context(server(tmp_path, url, service=name, **broker))
        wait_for(lambda: waiting(tasks) == 0, "the events are published")

        def knows(storage: SystemStorage) -> bool:
            with storage.read() as work:
                return bool(work.deleted_users.among([deleted.user_id] if deleted.user_id else []))

        for name, storage in {"tasks": tasks, **others}.items():
            wait_for(lambda storage=storage: knows(storage), f"{name} knows of the deleted user")  # type: ignore[misc]
        wait_for(lambda: notified(others["notifications"]) == [UUID(int=1)], "the reminder is there")
    for name in ("tasks", "auth", "analytics"):
        assert notified({"tasks": tasks, **others}[name]) == []
    assert all(rabbitmq.depth(ServiceQueue(name).dead_letters) == 0 for name in SERVICES)


def notified(storage: SystemStorage) -> list[UUID]:
    with storage.read() as work:
        return [each for each in work.session.scalars(select(NotificationRow.task_id)) if each]


def test_writes_go_on_while_the_broker_is_away_and_everything_arrives_afterwards(
    rabbitmq: RabbitMq, sqlite_url: str, tmp_path: Path
) -> None:
    storage = storage_of(sqlite_url)
    with server(tmp_path, sqlite_url, APP_EVENTS_URL=rabbitmq.url, **QUICK) as running:
        with httpx.Client(base_url=f"{running.url}{V1}", timeout=30) as client:
            account = {"email": "grace@example.org", "password": uuid4().hex}
            client.post("/auth/register", json={**account, "name": "Grace"}).raise_for_status()
            pair = client.post("/auth/login", json=account).raise_for_status().json()
            client.headers["Authorization"] = f"Bearer {pair['access_token']}"
            first = client.post("/tasks", json={"title": "Before"}).raise_for_status().json()["id"]
            wait_for(lambda: facts(storage) == {UUID(first): 1}, "analytics knows the task")
            rabbitmq.stop()
            try:
                made = [client.post("/tasks", json={"title": str(number)}) for number in range(20)]
                assert {answer.status_code for answer in made} == {201}
                renamed = client.patch(f"/tasks/{first}", json={"title": "Meanwhile"}, headers={"If-Match": '"1"'})
                assert renamed.status_code == 200
                assert waiting(storage) == 21
                assert httpx.get(f"{running.url}/health/ready").status_code == 200
            finally:
                rabbitmq.start()
            versions = {UUID(answer.json()["id"]): 1 for answer in made} | {UUID(first): 2}
            wait_for(lambda: facts(storage) == versions, "analytics knows all tasks")
            # An event can be handled before the relay has marked it as published.
            wait_for(lambda: waiting(storage) == 0, "the outbox is empty")
        assert running.terminate() == 0


KILLS = int(os.environ.get("FAULTS_KILLS", "12"))
EACH = int(os.environ.get("FAULTS_EVENTS", "360")) // KILLS
"""Events between two kills; `make faults` has more of both."""


def test_each_effect_happens_once_when_the_consumer_is_killed_repeatedly(
    rabbitmq: RabbitMq, postgres_url: str, tmp_path: Path
) -> None:
    storage, user_id = storage_of(postgres_url), uuid4()
    for kill in range(KILLS):
        with storage.write() as work:
            work.outbox.add_many([reminder(kill * EACH + number, user_id) for number in range(EACH)])
        before = len(notified(storage))
        with beat(rabbitmq, postgres_url, tmp_path):
            wait_for(lambda least=before: len(notified(storage)) > least, "it goes on")  # type: ignore[misc]
            time.sleep(random.uniform(0, 0.05))  # noqa: S311 to be killed at any point
    with beat(rabbitmq, postgres_url, tmp_path):
        wait_for(lambda: len(notified(storage)) >= KILLS * EACH, "all effects are there")
    assert Counter(notified(storage)) == Counter(UUID(int=number + 1) for number in range(KILLS * EACH))
    with storage.read() as work:
        mails = select(func.count()).select_from(JobRow).where(JobRow.kind == "reminder")
        assert work.session.scalar(mails) == KILLS * EACH
        assert work.inbox.failures() == {}
    assert rabbitmq.depth(ServiceQueue("notifications").dead_letters) == 0


@contextmanager
def beat(rabbitmq: RabbitMq, database_url: str, folder: Path) -> Iterator[None]:
    """Run `beat` for as long as the block takes, and kill it."""
    variables = environment(folder, database_url, 8000, APP_JOB_POLL="0.01", APP_EVENTS_URL=rabbitmq.url)
    command = [sys.executable, "-m", "app", "beat", "--service", "notifications"]
    process = subprocess.Popen(command, cwd=ROOT, env=variables)
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)


def test_beat_stops_cleanly_while_it_consumes(rabbitmq: RabbitMq, sqlite_url: str, tmp_path: Path) -> None:
    storage = storage_of(sqlite_url)
    variables = environment(tmp_path, sqlite_url, 8000, APP_JOB_POLL="0.01", APP_EVENTS_URL=rabbitmq.url)
    command = [sys.executable, "-m", "app", "beat", "--service", "notifications"]
    with storage.write() as work:
        work.outbox.add_many([reminder(number, uuid4()) for number in range(300)])
    process = subprocess.Popen(command, cwd=ROOT, env=variables)
    try:
        wait_for(lambda: len(notified(storage)) > 0, "it has begun")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)
    handled = len(notified(storage))
    queue = ServiceQueue("notifications").name
    wait_for(lambda: rabbitmq.depth(queue) + waiting(storage) == 300 - handled, "the others are in queue or outbox")
