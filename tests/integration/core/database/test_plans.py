"""PostgreSQL's plans for task lists: no sequential scans, and the same cost for a deep page."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import Connection, Table, text
from sqlalchemy.orm import Session

from app.core.database.engine import Database
from app.tasks.model import Status
from app.tasks.query import Filters, Query, Sort, position
from app.tasks.reminder_repository import LATEST_NOTICE, SqlDueDates, SqlReminders
from app.tasks.repository import SqlTasks
from app.tasks.tables import TaskRow, TaskTagRow
from tests.support.plans import ROWS, USER_ID, USERS, Cost, cost_of, full_database
from tests.support.postgres import Postgres

MOST_PAGES = 150
"""Pages of 8 KiB that may be read for a page of 20 tasks: each task from a page of its own, its tags by an index."""

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)

FILL = text("""
    INSERT INTO tasks (id, user_id, title, description, status, due_at, created_at, updated_at, version, title_key,
                       search_text, remind_at, reminded_for)
    SELECT md5('task' || n)::uuid, md5('user' || n % :users)::uuid, md5(n::text), '',
           (ARRAY['todo', 'in_progress', 'done'])[1 + n / :users % 3],
           CASE WHEN n / :users % 7 > 0 THEN :noon + n * interval '1 second' END,
           :noon + n * interval '1 second', :noon + n * interval '1 second', 1, md5(n::text), 'task ' || n,
           :noon + n * interval '1 second', CASE WHEN n % 1000 > 0 THEN :noon + n * interval '1 second' END
    FROM generate_series(0, :rows - 1) AS n
""")
FILL_TAGS = text("""
    INSERT INTO task_tags (task_id, tag, user_id)
    SELECT id, 'tag-' || (hashtext(id::text) & 31), user_id FROM tasks
""")


@pytest.fixture(scope="module")
def full(postgres: Postgres) -> Iterator[Database]:
    """A database with all the tasks."""

    def fill(connection: Connection) -> None:
        # Indexes are created after the rows are inserted: a third of the time.
        later = [index for model in (TaskRow, TaskTagRow) for index in cast("Table", model.__table__).indexes]
        for index in later:
            index.drop(connection)
        connection.execute(FILL, {"rows": ROWS, "users": USERS, "noon": NOON})
        connection.execute(FILL_TAGS)
        for index in later:
            index.create(connection)

    with full_database(postgres, "plans", fill, "tasks", "task_tags") as database:
        yield database


@pytest.fixture
def plans(full: Database) -> Iterator["Plans"]:
    with Session(full.reader) as session:
        yield Plans(session)


class Plans:
    """Runs queries of the repository, and reads their plans."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tasks = SqlTasks(session)

    def of(self, query: Query) -> Cost:
        """Return the cost of a page."""
        return self.cost(lambda: self.tasks.find(USER_ID, query))

    def cost(self, ask: Callable[[], object]) -> Cost:
        """Return the cost of a query, which must have a result."""
        return cost_of(self.session, ask)

    def deep(self, sort: Sort) -> Query:
        """Return the query for the page behind four fifths of the dated tasks."""
        some = replace(Query(), sort=sort, limit=ROWS // USERS * 6 // 7 * 4 // 5)
        return replace(Query(), sort=sort, after=position(self.tasks.find(USER_ID, some)[-1], sort))


@pytest.mark.parametrize("sort", list(Sort))
def test_a_list_scans_no_table_in_any_order(plans: Plans, sort: Sort) -> None:
    cost = plans.of(Query(sort=sort))
    assert cost.looked_through == set()
    assert cost.pages <= MOST_PAGES


@pytest.mark.parametrize(
    "filters",
    [
        Filters(status=Status.DONE),
        Filters(tag="tag-7"),
        Filters(q="task 1"),
        Filters(due_after=NOON + timedelta(hours=1)),
        Filters(due_before=NOON + timedelta(hours=1)),
    ],
    ids=["status", "tag", "text", "due after", "due before"],
)
def test_a_filtered_list_scans_no_table(plans: Plans, filters: Filters) -> None:
    assert plans.of(Query(filters)).looked_through == set()


@pytest.mark.parametrize("sort", list(Sort))
def test_a_deep_page_costs_as_the_first(plans: Plans, sort: Sort) -> None:
    first, deep = plans.of(Query(sort=sort)), plans.of(plans.deep(sort))
    assert deep.looked_through == set()
    assert deep.pages <= 1.5 * first.pages


def test_sent_reminders_cost_the_query_for_due_ones_nothing(plans: Plans) -> None:
    reminders, late = SqlReminders(plans.session), NOON + timedelta(seconds=ROWS)
    for cost in (plans.cost(lambda: reminders.any_due(late)), plans.cost(lambda: reminders.claim(late, 1))):
        assert cost.looked_through == set()
        assert cost.pages <= MOST_PAGES


def test_old_due_dates_cost_the_query_for_passed_ones_nothing(plans: Plans) -> None:
    due_dates, late = SqlDueDates(plans.session), NOON + timedelta(seconds=ROWS // 2) + LATEST_NOTICE
    for cost in (plans.cost(lambda: due_dates.any_due(late)), plans.cost(lambda: due_dates.claim(late, 1))):
        assert cost.looked_through == set()
        assert cost.pages <= MOST_PAGES
