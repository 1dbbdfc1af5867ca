"""Reminders, events and mails of a process that is killed repeatedly: each happens once."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select

from app.bootstrap.container import Container, build
from app.core.clock import new_id
from app.core.events.tables import HandledEventRow, OutboxRow
from app.core.jobs.tables import JobRow
from app.notifications.tables import NotificationRow
from app.tasks.bulk_insert import add_tasks
from app.tasks.model import Status, Task
from tests.support.ports import wait_for
from tests.support.server import ROOT, environment
from tests.support.settings import make_settings
from tests.support.storage import storage_of

TASKS = 400
"""Four batches of reminders, and four of events."""


def test_each_reminder_is_delivered_once_when_the_process_is_killed_repeatedly(
    database_url: str, tmp_path: Path
) -> None:
    parts = build(make_settings(database_url))
    user_id, now = uuid4(), datetime.now(UTC)
    before = now - timedelta(minutes=1)
    tasks = [
        Task(new_id(), user_id, f"Task {number}", "", Status.TODO, None, before, before, 1, remind_at=now)
        for number in range(TASKS)
    ]
    with storage_of(parts).write() as work:
        add_tasks(work.session, user_id, tasks)

    kills = 0
    while (reminded := notified(parts)) < TASKS:
        with beat(database_url, tmp_path):
            wait_for(lambda least=reminded: notified(parts) > least, "it goes on")  # type: ignore[misc]
            time.sleep(random.uniform(0, 0.1))  # noqa: S311 to be killed at any point
        kills += 1
    assert kills > 1

    with storage_of(parts).read() as work:
        about = list(work.session.scalars(select(NotificationRow.task_id)))
        mails = list(work.session.scalars(select(JobRow.parameters).where(JobRow.kind == "reminder")))
        events = work.session.scalar(select(func.count()).where(OutboxRow.name == "task.reminder_due"))
        handled = work.session.scalar(select(func.count()).select_from(HandledEventRow))
        assert work.inbox.failures() == {}
    assert sorted(about) == sorted(task.id for task in tasks)
    assert len({str(mail["notification_id"]) for mail in mails}) == len(mails) == events == handled == TASKS
    parts.database.dispose()


def notified(parts: Container) -> int:
    with storage_of(parts).read() as work:
        return work.session.scalar(select(func.count()).select_from(NotificationRow)) or 0


@contextmanager
def beat(database_url: str, folder: Path) -> Iterator[None]:
    """Run `beat` for as long as the block takes, and kill it."""
    variables = environment(folder, database_url, 8000, APP_JOB_POLL="0.01")
    process = subprocess.Popen([sys.executable, "-m", "app", "beat"], cwd=ROOT, env=variables)
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
