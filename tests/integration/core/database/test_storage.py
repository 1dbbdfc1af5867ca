"""Behaviour that both databases share, and SQLite's settings."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from app.core.clock import new_id
from app.core.database.engine import Database
from app.tasks.model import Status, Task
from tests.support.ports import wait_for
from tests.support.postgres import Postgres
from tests.support.storage import SystemStorage

NOON = datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))


def a_task(user_id: UUID, due_at: datetime) -> Task:
    return Task(new_id(), user_id, "Title", "", Status.TODO, due_at, NOON, NOON, 1)


def test_a_time_of_any_zone_comes_back_as_the_same_time_in_utc(database: Database) -> None:
    storage, user_id = SystemStorage(database), uuid4()
    task = a_task(user_id, NOON)
    with storage.write() as work:
        work.tasks.add(task)
    with storage.read() as work:
        found = work.tasks.get(user_id, task.id)
    assert found == task
    assert found is not None
    assert found.due_at is not None
    assert found.due_at.tzinfo is UTC


def test_the_first_and_the_last_time_that_the_api_takes_can_be_stored(database: Database) -> None:
    from app.core.times import EARLIEST, LATEST

    storage, user_id = SystemStorage(database), uuid4()
    for time in (EARLIEST, LATEST):
        task = a_task(user_id, time)
        with storage.write() as work:
            work.tasks.add(task)
        with storage.read() as work:
            assert work.tasks.get(user_id, task.id) == task


def test_a_naive_time_is_rejected(database: Database) -> None:
    with pytest.raises(StatementError, match="zone"), SystemStorage(database).write() as work:
        work.tasks.add(a_task(uuid4(), datetime(2030, 1, 1)))  # noqa: DTZ001 naive on purpose


def test_a_failed_transaction_is_rolled_back(database: Database) -> None:
    storage, user_id = SystemStorage(database), uuid4()
    task = a_task(user_id, NOON)

    def fail_after_adding() -> None:
        with storage.write() as work:
            work.tasks.add(task)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_adding()
    with storage.read() as work:
        assert work.tasks.get(user_id, task.id) is None


@pytest.mark.parametrize("application", ["sqlite"], indirect=True)
def test_sqlite_is_safe_for_two_processes_and_a_power_cut(database: Database) -> None:
    with database.reader.connect() as connection:
        told = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


@pytest.mark.parametrize("application", ["postgresql"], indirect=True)  # SQLite's writers wait for the whole database
def test_after_waiting_for_a_row_lock_the_current_tags_are_read(database: Database, postgres: Postgres) -> None:
    storage, user_id = SystemStorage(database), uuid4()
    task = replace(a_task(user_id, NOON), tags=("old",))
    with storage.write() as work:
        work.tasks.add(task)

    def hold() -> Task | None:
        with storage.write() as work:
            return work.tasks.get(user_id, task.id, for_update=True)

    waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'"
    with ThreadPoolExecutor(1) as threads:
        with storage.write() as work:
            work.tasks.replace(replace(task, version=2, tags=("new",)))
            held = threads.submit(hold)
            wait_for(lambda: bool(postgres.execute(waits)), "somebody waits for the task")
        assert held.result(30) == replace(task, version=2, tags=("new",))
