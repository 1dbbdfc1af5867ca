"""Query plans of statistics: index scans of one user's facts, never sequential scans."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.analytics.model import Statistics
from app.analytics.report import weekly
from app.analytics.statistics import statistics
from app.analytics.week import Week
from app.core.database.engine import Database
from tests.support.plans import ROWS, USER_ID, USERS, cost_of, full_database
from tests.support.postgres import Postgres
from tests.support.storage import SystemUnitOfWork

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
MIDDLE = date(2029, 10, 1)

FILL = text("""
    INSERT INTO task_facts (task_id, user_id, version, title, status, due_at, created_at, completed_version,
                            completed_at, deleted_at, created_on, completed_on, seconds_to_completion)
    SELECT md5('task' || n)::uuid, md5('user' || n % :users)::uuid, 1, md5(n::text),
           (ARRAY['todo', 'in_progress', 'done'])[1 + n / :users % 3], day, day, 1, day,
           CASE WHEN n / :users % 5 = 0 THEN day END, day, CASE WHEN n / :users % 3 = 2 THEN day::date END, n
    FROM (SELECT n, timestamptz '2029-01-01 12:00Z' + n / :users % 365 * interval '1 day' AS day
          FROM generate_series(0, :rows - 1) AS n) AS days
""")


@pytest.fixture(scope="module")
def full(postgres: Postgres) -> Iterator[Database]:
    """Database with facts of many users over a year."""

    def fill(connection: Connection) -> None:
        connection.execute(FILL, {"rows": ROWS, "users": USERS})

    with full_database(postgres, "statistics", fill, "task_facts") as database:
        yield database


@pytest.fixture
def work(full: Database) -> Iterator[SystemUnitOfWork]:
    with Session(full.reader) as session:
        yield SystemUnitOfWork(session)


def test_statistics_need_no_sequential_scan(work: SystemUnitOfWork) -> None:
    def count() -> Statistics:
        found = statistics(work, USER_ID, MIDDLE, date(2029, 10, 30), lambda: NOW)
        assert found.created
        assert found.duration
        return found

    assert cost_of(work.session, count).looked_through <= {"daily_counts"}  # an empty table


def test_a_report_needs_no_sequential_scan(work: SystemUnitOfWork) -> None:
    cost = cost_of(work.session, lambda: weekly(work, USER_ID, Week.containing(MIDDLE), lambda: NOW).finished)
    assert cost.looked_through <= {"daily_counts"}


def test_the_users_of_a_week_are_found_in_batches_by_index(work: SystemUnitOfWork) -> None:
    cost = cost_of(work.session, lambda: work.facts.active(work.facts.users(None, 2), MIDDLE, MIDDLE))
    assert cost.looked_through == set()


def test_the_rollup_finds_its_facts_by_index(work: SystemUnitOfWork) -> None:
    cost = cost_of(work.session, lambda: work.facts.roll_up(datetime(2029, 1, 8, tzinfo=UTC), 100))
    assert "task_facts" not in cost.looked_through
    work.session.rollback()
