"""Retention: expired rows are deleted, and no younger ones, on both databases."""

from datetime import timedelta
from typing import cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, func, select, update
from sqlalchemy.orm import DeclarativeBase

from app.auth.retention import ENDED_SESSIONS
from app.auth.tables import RefreshTokenRow, SessionRow
from app.bootstrap.container import Container
from app.core.clock import utc_now
from app.core.database.engine import Database
from app.core.database.idempotency_key_table import IdempotencyKeyRow
from app.core.database.retention import ExpiryRule
from app.core.jobs import background
from app.core.jobs.background import Cleaner
from app.core.jobs.model import State
from app.core.jobs.tables import JobFileRow, JobRow, RefusedLineRow
from app.core.retention_rules import FILES
from tests.support.api import Person
from tests.support.fakes import FakeClock
from tests.support.retention import RULES
from tests.support.rows import insert_row
from tests.support.storage import SystemStorage, storage_of

EXPIRING = [rule for rule in RULES if isinstance(rule, ExpiryRule)]

VALUES: dict[str, dict[str, object]] = {
    "users' jobs that succeeded, were cancelled or rejected": {"state": "succeeded"},
    "the same of jobs that no user sees, such as mails": {"state": "cancelled", "user_id": None},
    "jobs that have failed": {"state": "failed"},
    "deliveries that were given up": {"due_at": None},
}
"""Column values that meet the conditions of a rule."""


@pytest.fixture
def storage(database: Database) -> SystemStorage:
    return SystemStorage(database)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def count(storage: SystemStorage, table: type[DeclarativeBase]) -> int:
    with storage.read() as work:
        return work.session.scalar(select(func.count()).select_from(table)) or 0


def clean(storage: SystemStorage, clock: FakeClock) -> None:
    Cleaner(storage, clock, lambda: False, RULES).run_once()


def table_of(row: type[DeclarativeBase]) -> Table:
    return cast(Table, row.__table__)


@pytest.mark.parametrize("rule", EXPIRING, ids=lambda rule: rule.rows)
def test_expired_rows_are_deleted_and_younger_ones_stay(
    storage: SystemStorage, clock: FakeClock, rule: ExpiryRule
) -> None:
    others = {
        column.key: None for column in table_of(rule.table).columns if column.nullable and column.key != "user_id"
    }
    with storage.write() as work:
        for seconds in (-1, 0, 1):
            at = clock.now - rule.after + timedelta(seconds=seconds)
            values = {**others, **VALUES.get(rule.rows, {}), rule.since.key: at}
            insert_row(work.session, table_of(rule.table), **values)
    clean(storage, clock)
    with storage.read() as work:
        left = work.session.scalars(select(rule.since).order_by(rule.since)).all()
    assert left == [clock.now - rule.after + timedelta(seconds=seconds) for seconds in (0, 1)]


def test_one_cleaning_deletes_many_batches_and_no_more_than_it_may(
    storage: SystemStorage, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "BATCHES", 2)
    [rule] = [rule for rule in EXPIRING if rule.table is JobFileRow]
    with storage.write() as work:
        for position in range(2 * rule.batch + 1):
            values = {"job_id": UUID(int=1), "position": position, "at": clock.now - FILES - timedelta(1)}
            insert_row(work.session, table_of(JobFileRow), **values)
    clean(storage, clock)
    assert count(storage, JobFileRow) == 1
    clean(storage, clock)
    assert count(storage, JobFileRow) == 0


@pytest.mark.parametrize(
    ("state", "rejected", "stays"),
    [
        ("queued", False, 1),
        ("running", False, 1),
        ("cancelled", False, 1),
        ("failed", False, 1),
        ("failed", True, 0),
        ("succeeded", False, 0),
    ],
)
def test_files_of_resumable_jobs_stay(
    storage: SystemStorage, clock: FakeClock, state: str, rejected: bool, stays: int
) -> None:
    old = clock.now - FILES - timedelta(hours=1)
    with storage.write() as work:
        job = insert_row(work.session, table_of(JobRow), state=state, rejected=rejected, finished_at=old)
        insert_row(work.session, table_of(JobFileRow), job_id=job["id"], at=old)
    clean(storage, clock)
    assert count(storage, JobFileRow) == stays


@pytest.mark.parametrize("state", [state for state in State if state not in ("queued", "running")])
@pytest.mark.parametrize("rejected", [False, True])
@pytest.mark.parametrize("user_id", [None, UUID(int=1)])
def test_no_job_that_has_ended_stays_for_ever(
    storage: SystemStorage, clock: FakeClock, state: State, rejected: bool, user_id: UUID | None
) -> None:
    with storage.write() as work:
        ended = {"state": state, "rejected": rejected, "finished_at": clock.now - timedelta(days=91)}
        insert_row(work.session, table_of(JobRow), user_id=user_id, **ended)
    clean(storage, clock)
    assert count(storage, JobRow) == 0


def test_files_and_rejected_lines_are_deleted_with_their_job(storage: SystemStorage, clock: FakeClock) -> None:
    with storage.write() as work:
        old, young = (
            insert_row(work.session, table_of(JobRow), state="failed", finished_at=clock.now - timedelta(days))
            for days in (91, 89)
        )
        for job in (old, young):
            insert_row(work.session, table_of(JobFileRow), job_id=job["id"], at=clock.now)
            insert_row(work.session, table_of(RefusedLineRow), job_id=job["id"])
    clean(storage, clock)
    for table in (JobRow.id, JobFileRow.job_id, RefusedLineRow.job_id):
        with storage.read() as work:
            assert work.session.scalars(select(table)).all() == [young["id"]]


def test_the_refresh_tokens_of_an_ended_session_go_with_it(container: Container, person: Person) -> None:
    for _ in range(5):
        person.refresh()
    other = Person(person.client, person.email).login()
    assert person.call("POST", "/auth/logout").status_code == 204
    later = FakeClock()
    later.now = utc_now() + ENDED_SESSIONS + timedelta(minutes=1)
    clean(storage_of(container), later)
    assert count(storage_of(container), SessionRow) == count(storage_of(container), RefreshTokenRow) == 1
    assert other.call("GET", "/users/me").status_code == 200
    assert person.call("GET", "/users/me").status_code == 401, "a session that nobody knows has ended"
    assert person.refresh().status_code == 401


def test_the_text_of_a_deleted_task_leaves_the_idempotency_keys_within_a_day(
    container: Container, person: Person
) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    task = person.call("POST", "/tasks", json={"title": "A secret"}, headers=key).get_json()
    person.call("DELETE", f"/tasks/{task['id']}")
    assert count(storage_of(container), IdempotencyKeyRow) == 1
    with storage_of(container).write() as work:
        work.session.execute(update(IdempotencyKeyRow).values(created_at=utc_now() - timedelta(hours=24, seconds=1)))
    Cleaner(storage_of(container), utc_now, lambda: False, RULES).run_once()
    assert count(storage_of(container), IdempotencyKeyRow) == 0
