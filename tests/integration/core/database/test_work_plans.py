"""PostgreSQL's plans for files, jobs, events, notifications and the audit log: no sequential scans."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.auth.model import AuditFilters
from app.core.database.engine import Database
from app.notifications.model import Kind
from tests.support.plans import ROWS, USER_ID, USERS, cost_of, full_database, identifier
from tests.support.postgres import Postgres
from tests.support.storage import SystemUnitOfWork

MOST_PAGES = 150
"""Pages of 8 KiB that may be read for 20 rows: each from a page of its own, and the way through the indexes."""

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LATE = NOON + timedelta(seconds=ROWS)
LIMIT = 20

RISING = """
    CREATE FUNCTION rising(n int) RETURNS uuid
    RETURN ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
"""
"""Identifiers in the order of time, like the application's (UUIDv7)."""

FILL = {
    "attachments": """
        INSERT INTO attachments (id, task_id, user_id, name, content_type, size, created_at)
        SELECT md5('file' || n)::uuid, md5('task' || n)::uuid, md5('user' || n % :users)::uuid, 'a.txt',
               'text/plain', 1, :noon FROM generate_series(0, :rows - 1) AS n""",
    # the last hundredth is queued, and the leases of the one before have expired
    "jobs": """
        INSERT INTO jobs (id, user_id, kind, state, parameters, checkpoint, done, refused, attempts, cancelling,
                          created_at, due_at, finished_at)
        SELECT rising(n), md5('user' || n % :users)::uuid, 'import',
               CASE 100 * n / :rows WHEN 99 THEN 'queued' WHEN 98 THEN 'running' ELSE 'succeeded' END, '{}', '{}',
               0, 0, 0, false, :noon, :noon + n * interval '1 second',
               CASE WHEN 100 * n / :rows < 98 THEN :noon + n * interval '1 second' END
        FROM generate_series(0, :rows - 1) AS n""",
    # the last hundredth is unpublished
    "outbox": """
        INSERT INTO outbox (id, name, user_id, at, payload, carried_at)
        SELECT rising(n), 'task.created', md5('user' || n % :users)::uuid, :noon, '{}',
               CASE WHEN 100 * n / :rows < 99 THEN :noon + n * interval '1 second' END
        FROM generate_series(0, :rows - 1) AS n""",
    "failed_deliveries": """
        INSERT INTO failed_deliveries (consumer, event_id, name, at, payload, failures, error, due_at)
        SELECT 'facts', md5('event' || n)::uuid, 'task.created', :noon, '{}', 9, 'Error',
               CASE WHEN n % 100 = 0 THEN :noon + n * interval '1 second' END
        FROM generate_series(0, :rows - 1) AS n""",
    "notifications": """
        INSERT INTO notifications (id, user_id, kind, task_id, title, created_at, read_at)
        SELECT rising(n), md5('user' || n % :users)::uuid, 'reminder', md5('task' || n)::uuid, 'A task',
               :noon + n * interval '1 second', CASE WHEN n / :users % 100 > 0 THEN :noon END
        FROM generate_series(0, :rows - 1) AS n""",
    "audit_log": """
        INSERT INTO audit_log (id, at, actor_id, action, subject_id, remote, details)
        SELECT rising(n), :noon + n * interval '1 second',
               md5('user' || n % :users)::uuid, CASE n % 1000 WHEN 0 THEN 'user.role_changed' ELSE 'user.listed' END,
               NULL, '127.0.0.1', '{}' FROM generate_series(0, :rows - 1) AS n""",
    "objects": """
        INSERT INTO objects (key, name, content_type, size, loose_from)
        SELECT md5('file' || n)::uuid, 'a.txt', 'text/plain', 1,
               CASE WHEN n % 100 = 0 THEN :noon + n * interval '1 second' END
        FROM generate_series(0, :rows - 1) AS n""",
}
"""INSERT statements, by table."""


@pytest.fixture(scope="module")
def full(postgres: Postgres) -> Iterator[Database]:
    def fill(connection: Connection) -> None:
        connection.execute(text(RISING))
        for statement in FILL.values():
            values = {"rows": ROWS, "users": USERS, "noon": NOON}
            connection.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})

    with full_database(postgres, "work_plans", fill, *FILL) as database:
        yield database


@pytest.fixture
def work(full: Database) -> Iterator[SystemUnitOfWork]:
    with Session(full.reader) as session:
        yield SystemUnitOfWork(session)


def found_by_index(work: SystemUnitOfWork, ask: Callable[[], object]) -> None:
    """Check that a query scans no table, and reads few pages."""
    cost = cost_of(work.session, ask)
    assert cost.looked_through == set()
    assert cost.pages <= MOST_PAGES


def test_attachments_of_a_task(work: SystemUnitOfWork) -> None:
    task_id = identifier("task7")
    found_by_index(work, lambda: work.attachments.of_task(USER_ID, task_id))
    found_by_index(work, lambda: work.attachments.delete_of(USER_ID, [task_id]))


def test_unlinked_files(work: SystemUnitOfWork) -> None:
    found_by_index(work, lambda: work.objects.unlinked(LATE, LIMIT))


def test_jobs_of_a_user(work: SystemUnitOfWork) -> None:
    found_by_index(work, lambda: work.jobs.find(USER_ID, None, LIMIT))


def test_jobs_that_are_due(work: SystemUnitOfWork) -> None:
    kinds = ["import", "export"]
    found_by_index(work, lambda: work.jobs.due(LATE, kinds, LIMIT))
    # it writes too, and so reads the pages that it changes
    assert cost_of(work.session, lambda: work.jobs.announce(LATE, kinds, LATE, LIMIT)).looked_through == set()


def test_number_of_queued_jobs(work: SystemUnitOfWork) -> None:
    assert cost_of(work.session, work.jobs.counts).looked_through == set()


def test_unpublished_events(work: SystemUnitOfWork) -> None:
    found_by_index(work, lambda: work.outbox.waiting(LIMIT))
    assert cost_of(work.session, work.outbox.backlog).looked_through == set()


def test_deliveries_due_for_a_retry(work: SystemUnitOfWork) -> None:
    found_by_index(work, lambda: work.inbox.any_due(["facts"], LATE))
    found_by_index(work, lambda: work.inbox.claim_failed(["facts"], LATE, LIMIT))


def test_notifications_of_a_user(work: SystemUnitOfWork) -> None:
    first = work.notifications.find(USER_ID, None, LIMIT)
    found_by_index(work, lambda: work.notifications.find(USER_ID, None, LIMIT))
    found_by_index(work, lambda: work.notifications.find(USER_ID, first[-1].id, LIMIT))
    found_by_index(work, lambda: work.notifications.find(USER_ID, None, LIMIT, (Kind.REMINDER,)))
    assert cost_of(work.session, lambda: work.notifications.unread(USER_ID)).looked_through == set()


@pytest.mark.parametrize("name", ["all", "actor", "action", "after", "before", "actor before"])
def test_the_audit_log(work: SystemUnitOfWork, name: str) -> None:
    filters = {
        "all": AuditFilters(),
        "actor": AuditFilters(actor_id=USER_ID),
        "action": AuditFilters(action="user.role_changed"),
        "after": AuditFilters(after=NOON + timedelta(seconds=ROWS // 2)),
        "before": AuditFilters(before=NOON + timedelta(seconds=ROWS // 2)),
        "actor before": AuditFilters(actor_id=USER_ID, before=NOON + timedelta(seconds=ROWS // 2)),
    }[name]
    first = work.audit.find(filters, None, LIMIT)
    found_by_index(work, lambda: work.audit.find(filters, None, LIMIT))
    found_by_index(work, lambda: work.audit.find(filters, first[LIMIT // 2].id, LIMIT))
