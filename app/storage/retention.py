"""Retention: how long the rows of every table stay, and the deletion of those whose time is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, not_, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.platform.idempotency import RETENTION
from app.storage.models.analytics import DailyCountRow, TaskFactRow
from app.storage.models.auth import AuditRow, PasswordResetRow, RefreshTokenRow, SessionRow, UserRow
from app.storage.models.base import Base
from app.storage.models.events import DeletedUserRow, FailedDeliveryRow, HandledEventRow, OutboxRow
from app.storage.models.jobs import JobFileRow, JobRow, RefusedLineRow
from app.storage.models.notifications import NotificationRow, PreferencesRow, RecipientRow
from app.storage.models.objects import ObjectPieceRow, ObjectRow
from app.storage.models.tasks import AttachmentRow, AttachmentUsageRow, IdempotencyKeyRow, TaskRow, TaskTagRow
from app.storage.models.versions import UserVersionRow
from app.storage.rows import changed

FILES = timedelta(days=7)
"""How long uploads and results of jobs are there, and jobs that no user sees."""

JOBS = timedelta(days=30)
"""How long jobs that have ended are listed, and their unique keys are not used again."""

DEAD_LETTERS = timedelta(days=90)
"""How long what was given up waits for somebody to look at it."""

EVENTS = timedelta(days=3)
"""How long published events can be looked up, and which of them were handled."""

NOTIFICATIONS = timedelta(days=90)
ENDED_SESSIONS = timedelta(days=1)

UNUSED_SESSIONS = timedelta(days=30)


@dataclass(frozen=True)
class Kept:
    """Rows that no clock deletes.

    Args:
        table: their table.
        until: what deletes them, or why nothing does, in words.
    """

    table: type[Base]
    until: str


@dataclass(frozen=True)
class Expiring:
    """Rows that are deleted some time after a moment.

    Args:
        table: their table.
        rows: which, in words.
        since: the column with the moment; indexed.
        after: how long after it.
        only: further conditions.
        with_rows: columns of other tables that hold the key of such a row: their rows are deleted with it.
        batch: rows that one transaction deletes: on SQLite no other can write meanwhile.
    """

    table: type[Base]
    rows: str
    since: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
    after: timedelta
    only: tuple[ColumnElement[bool], ...] = ()
    with_rows: Sequence[InstrumentedAttribute[UUID]] = ()
    batch: int = 1000


TOMBSTONES = timedelta(days=365)
"""How long the ids of deleted users are known: longer than any event, job or dead letter of theirs."""

WITH_ACCOUNT = "with the account"

_ENDED = or_(JobRow.state.in_(("succeeded", "cancelled")), JobRow.rejected)
_OF_JOBS = (RefusedLineRow.job_id, JobFileRow.job_id)
_UNFINISHED = exists().where(JobRow.id == JobFileRow.job_id, JobRow.state != "succeeded", not_(JobRow.rejected))

RULES: tuple[Kept | Expiring, ...] = (
    Kept(UserRow, WITH_ACCOUNT),
    Expiring(SessionRow, "ended sessions, with their refresh tokens", SessionRow.revoked_at, ENDED_SESSIONS),
    Expiring(RefreshTokenRow, "refresh tokens that have expired", RefreshTokenRow.expires_at, timedelta(0)),
    Expiring(
        SessionRow, "sessions without a refresh token", SessionRow.last_used_at, UNUSED_SESSIONS,
        (~exists().where(RefreshTokenRow.session_id == SessionRow.id),),
    ),
    Expiring(PasswordResetRow, "password resets that have expired", PasswordResetRow.expires_at, timedelta(0)),
    Kept(
        AuditRow,
        "never: it is evidence that outlives accounts, and triggers refuse a deletion. An entry names people by id "
        "alone; what is personal in it is the network address that an action came from",
    ),
    Kept(TaskRow, "by its owner, or with the account"),
    Kept(TaskTagRow, "with the task"),
    Kept(AttachmentRow, "by its owner, or with the task"),
    Kept(AttachmentUsageRow, WITH_ACCOUNT),
    Expiring(IdempotencyKeyRow, "keys, with the answers they hold", IdempotencyKeyRow.created_at, RETENTION),
    Expiring(NotificationRow, "notifications, read or not", NotificationRow.created_at, NOTIFICATIONS),
    Kept(RecipientRow, WITH_ACCOUNT),
    Kept(PreferencesRow, WITH_ACCOUNT),
    Kept(TaskFactRow, "by the nightly aggregation into counts, 30 days after the task was deleted"),
    Kept(DailyCountRow, WITH_ACCOUNT),
    Kept(ObjectRow, "by the sweep, with its bytes, when nothing refers to it any more"),
    Kept(ObjectPieceRow, "with the object"),
    Expiring(
        JobRow, "users' jobs that succeeded, were cancelled or rejected", JobRow.finished_at, JOBS,
        (_ENDED, JobRow.user_id.is_not(None)), _OF_JOBS, batch=100,
    ),
    Expiring(
        JobRow, "the same of jobs that no user sees, such as mails", JobRow.finished_at, FILES,
        (_ENDED, JobRow.user_id.is_(None)), _OF_JOBS,
    ),
    Expiring(
        JobRow, "jobs that have failed", JobRow.finished_at, DEAD_LETTERS,
        (JobRow.state == "failed", not_(JobRow.rejected)), _OF_JOBS, batch=100,
    ),
    Expiring(
        JobFileRow, "uploads and results, not of jobs that can go on", JobFileRow.at, FILES, (~_UNFINISHED,), batch=50
    ),
    Kept(RefusedLineRow, "with the job"),
    Expiring(OutboxRow, "events that were published", OutboxRow.carried_at, EVENTS),
    # After the events: what says that they were handled must outlive what could be published once more.
    Expiring(HandledEventRow, "which events were handled", HandledEventRow.at, EVENTS),
    Expiring(
        FailedDeliveryRow, "deliveries that were given up", FailedDeliveryRow.at, DEAD_LETTERS,
        (FailedDeliveryRow.due_at.is_(None),),
    ),
    Expiring(DeletedUserRow, "ids of deleted users", DeletedUserRow.at, TOMBSTONES),
    Kept(UserVersionRow, WITH_ACCOUNT),
)  # fmt: skip
"""In the order in which they are applied."""


def expire(session: Session, rule: Expiring, now: datetime) -> int:
    """Delete a batch of rows whose time is over, the oldest first, and return how many it were."""
    key = rule.table.__mapper__.primary_key
    over = and_(rule.since < now - rule.after, *rule.only)
    # Another process that cleans has its own rows, and nobody waits for a row that is in use.
    chosen = select(*key).where(over).order_by(rule.since).limit(rule.batch).with_for_update(skip_locked=True)
    keys = [tuple(row) for row in session.execute(chosen)]
    if not keys:
        return 0
    for column in rule.with_rows:
        session.execute(delete(column.class_).where(column.in_([key for (key,) in keys])))
    return changed(session.execute(delete(rule.table).where(tuple_(*key).in_(keys))))


def table() -> str:
    """Return the rules as a table in Markdown."""
    lines = ["| Table | Rows | Deleted |", "| --- | --- | --- |"]
    for rule in RULES:
        rows, when = ("all", rule.until) if isinstance(rule, Kept) else (rule.rows, _words(rule))
        lines.append(f"| `{rule.table.__tablename__}` | {rows} | {when} |")
    return "\n".join(lines)


def _words(rule: Expiring) -> str:
    hours = int(rule.after / timedelta(hours=1))
    if not hours:
        return f"at `{rule.since.key}`"
    number, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'} after `{rule.since.key}`"
