"""Facts in the database: the same statistics in any order of events, and after the rollup."""

import statistics as reference
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.analytics.aggregation_job import KEPT, AggregateFacts
from app.analytics.model import Statistics
from app.analytics.projection import TaskFactProjection
from app.analytics.statistics import StatisticsService
from app.analytics.tables import DailyCountRow, TaskFactRow
from app.core.clock import Clock, new_id
from app.core.database.engine import Database
from app.core.events.model import Event
from app.core.jobs.model import Job
from app.tasks.model import Status
from tests.support.fakes import FakeClock
from tests.support.histories import EVENTFUL, STEPS, History, Step
from tests.support.storage import SystemStorage

FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""One user per example, so that all share a database."""

FIRST, LAST = date(2029, 12, 1), date(2030, 6, 1)
"""Range of days around all histories, whose clock starts in 2030."""


@pytest.fixture
def storage(database: Database) -> SystemStorage:
    return SystemStorage(database)


def deliver(storage: SystemStorage, events: list[Event]) -> None:
    for event in events:
        with storage.write() as work:
            TaskFactProjection().handle(work, event)


def counted(storage: SystemStorage, history: History) -> Statistics:
    return StatisticsService(storage, history.clock).statistics(history.user_id, FIRST, LAST)


def roll_up(storage: SystemStorage, clock: Clock) -> None:
    job = Job(new_id(), None, "aggregate", clock())
    with storage.write() as work:
        while not AggregateFacts(clock).step(work, job).finished:
            pass


def rows(storage: SystemStorage, table: type[TaskFactRow | DailyCountRow], user_id: UUID) -> int:
    with storage.read() as work:
        return work.session.scalar(select(func.count()).select_from(table).where(table.user_id == user_id)) or 0


@FEW
@given(STEPS, st.integers())
@example(EVENTFUL, 1)
def test_duplicate_and_unordered_events_are_counted_correctly(
    storage: SystemStorage, steps: list[Step], seed: int
) -> None:
    history = History(uuid4(), new_id, steps)
    deliver(storage, history.scrambled(seed))
    found = counted(storage, history)
    tasks, now = history.tasks.values(), history.clock.now
    status = Counter(task.status.value for task in tasks)
    totals = found.totals
    assert {"todo": totals.todo, "in_progress": totals.in_progress, "done": totals.done} == {
        name: status[name] for name in Status
    }
    late = [task for task in tasks if task.status is not Status.DONE and task.due_at and task.due_at < now]
    assert totals.overdue == len(late)
    assert {day.date: day.created for day in found.days if day.created} == history.created_by_day()
    assert {day.date: day.completed for day in found.days if day.completed} == history.completed_by_day()
    assert found.completion_rate == (status["done"] / len(tasks) if tasks else None)
    took = [
        (history.completed[task.id] - task.created_at).total_seconds() for task in tasks if task.id in history.completed
    ]
    if timed := [seconds for seconds in took if seconds]:
        assert found.duration
        assert found.duration.median == reference.median(timed)
        assert found.duration.mean == pytest.approx(reference.mean(timed))
    else:
        assert found.duration is None
    assert found.streak == streak(set(history.completed_by_day()), now.date())


def streak(days: set[date], today: date) -> int:
    day, length = today if today in days else today - timedelta(days=1), 0
    while day in days:
        day, length = day - timedelta(days=1), length + 1
    return length


@FEW
@given(STEPS, st.integers())
@example(EVENTFUL, 1)
def test_the_rollup_changes_no_statistics_and_leaves_no_fact_of_long_deleted_tasks(
    storage: SystemStorage, steps: list[Step], seed: int
) -> None:
    history = History(uuid4(), new_id, steps)
    deliver(storage, history.scrambled(seed))
    before = counted(storage, history)
    later = FakeClock()
    later.now = history.clock.now + KEPT + timedelta(seconds=1)
    for _ in range(2):  # a repeated rollup changes nothing either
        roll_up(storage, later)
        assert counted(storage, history) == before
    assert rows(storage, TaskFactRow, history.user_id) == len(history.tasks)


def test_the_rollup_keeps_facts_of_recently_deleted_tasks(storage: SystemStorage) -> None:
    history = History(uuid4(), new_id, [("create", 0, Status.TODO, 1), ("delete", 0, Status.TODO, 1)])
    created, deleted = history.events
    deliver(storage, [created, deleted])
    history.clock.advance(days=29)
    roll_up(storage, history.clock)
    deliver(storage, [created])
    assert counted(storage, history).totals.todo == 0
    assert (rows(storage, TaskFactRow, history.user_id), rows(storage, DailyCountRow, history.user_id)) == (1, 0)


def test_concurrent_events_of_a_task_are_merged(storage: SystemStorage) -> None:
    history = History(uuid4(), new_id, [("create", 0, Status.TODO, 1), ("status", 0, Status.DONE, 5)])
    gate = threading.Barrier(2)

    def deliver_one(event: Event) -> None:
        gate.wait(30)
        deliver(storage, [event])

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(deliver_one, history.events))
    found = counted(storage, history)
    assert (found.totals.done, found.created, found.completed) == (1, 1, 1)


def test_facts_count_for_their_own_user_only(storage: SystemStorage) -> None:
    steps: list[Step] = [("create", 0, Status.DONE, 1), ("create", 0, Status.TODO, 1), ("delete", 1, Status.TODO, 1)]
    mine, other = History(uuid4(), new_id, steps[:1]), History(uuid4(), new_id, steps)
    deliver(storage, [*mine.events, *other.events])
    other.clock.advance(days=31)
    roll_up(storage, other.clock)
    found = counted(storage, mine)
    assert (found.totals.done, found.created, found.completed) == (1, 1, 1)
