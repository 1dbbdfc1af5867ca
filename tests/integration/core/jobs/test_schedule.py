"""Scheduler: one job for each period with several schedulers, and missed periods are made up for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.bootstrap.analytics import Analytics
from app.bootstrap.auth import Auth
from app.bootstrap.notifications import Notifications
from app.bootstrap.tasks import Tasks
from app.core.clock import new_id
from app.core.database.engine import Database
from app.core.jobs.scheduler import Entry, Scheduler
from app.core.jobs.tables import JobRow
from tests.support.fakes import FakeClock
from tests.support.storage import SystemStorage

SCHEDULE = [entry for service in (Auth, Tasks, Notifications, Analytics) for entry in service.schedule]


@pytest.fixture
def storage(database: Database) -> SystemStorage:
    return SystemStorage(database)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def queued(storage: SystemStorage) -> list[str]:
    with storage.read() as work:
        return sorted(f"{row.kind} {row.parameters['due']}" for row in work.session.scalars(select(JobRow)))


def test_of_several_schedulers_one_queues_each_period(storage: SystemStorage, clock: FakeClock) -> None:
    clock.now = datetime(2030, 1, 5, 1, tzinfo=UTC)  # a Saturday
    schedulers = [Scheduler(storage, SCHEDULE, clock, new_id) for _ in range(3)]
    for _ in range(3 * 24):
        for scheduler in schedulers:
            assert scheduler.run_once() is False
        clock.advance(hours=1)
    assert queued(storage) == [
        "aggregate 2030-01-04", "aggregate 2030-01-05", "aggregate 2030-01-06", "aggregate 2030-01-07",
        "deletions 2030-01-04", "deletions 2030-01-05", "deletions 2030-01-06", "deletions 2030-01-07",
        "reports 2029-12-31", "reports 2030-01-07",
    ]  # fmt: skip


def test_a_missed_period_is_made_up_for(storage: SystemStorage, clock: FakeClock) -> None:
    clock.now = datetime(2030, 1, 7, 6, tzinfo=UTC)
    Scheduler(storage, SCHEDULE, clock, new_id).run_once()
    clock.advance(days=9)
    Scheduler(storage, SCHEDULE, clock, new_id).run_once()
    assert queued(storage) == [
        "aggregate 2030-01-07", "aggregate 2030-01-16", "deletions 2030-01-07", "deletions 2030-01-16",
        "reports 2030-01-07", "reports 2030-01-14",
    ]  # fmt: skip


@given(st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)), st.sampled_from(SCHEDULE))  # noqa: DTZ001 it wants them so
def test_the_last_due_time_is_the_latest_one_in_the_past(now: datetime, entry: Entry) -> None:
    due = entry.due(now)
    every = timedelta(days=1 if entry.weekday is None else 7)
    assert due <= now < due + every
    assert (due.hour, due.minute, due.second, due.microsecond) == (entry.hour, 0, 0, 0)
    assert entry.weekday is None or due.weekday() == entry.weekday
