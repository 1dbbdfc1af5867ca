"""Retention rules of the core tables: jobs, events, files, idempotency keys."""

from datetime import timedelta

from sqlalchemy import exists, not_, or_

from app.core.database.idempotency_key_table import IdempotencyKeyRow
from app.core.database.retention import WITH_ACCOUNT, ExpiryRule, KeepRule, Rule
from app.core.database.user_version_table import UserVersionRow
from app.core.events.tables import DeletedUserRow, FailedDeliveryRow, HandledEventRow, OutboxRow
from app.core.idempotency import RETENTION
from app.core.jobs.tables import JobFileRow, JobRow, RefusedLineRow
from app.core.objects.tables import ObjectChunkRow, ObjectRow
from app.core.sessions.tables import EndedSessionRow

FILES = timedelta(days=7)
"""Retention of jobs' uploads and results, and of internal jobs."""

JOBS = timedelta(days=30)
"""Retention of ended jobs: as long they are listed, and their unique keys can't be reused."""

DEAD_LETTERS = timedelta(days=90)
"""Retention of dead letters, which wait for an operator."""

EVENTS = timedelta(days=3)
"""Retention of published events and of the inbox."""

TOMBSTONES = timedelta(days=365)
"""Retention of the ids of deleted users: longer than any event, job or dead letter of theirs."""

_ENDED = or_(JobRow.state.in_(("succeeded", "cancelled")), JobRow.rejected)
_OF_JOBS = (RefusedLineRow.job_id, JobFileRow.job_id)
_UNFINISHED = exists().where(JobRow.id == JobFileRow.job_id, JobRow.state != "succeeded", not_(JobRow.rejected))

RULES: tuple[Rule, ...] = (
    ExpiryRule(IdempotencyKeyRow, "keys, with the answers they hold", IdempotencyKeyRow.created_at, RETENTION),
    KeepRule(ObjectRow, "by the sweep, with its bytes, when nothing refers to it any more"),
    KeepRule(ObjectChunkRow, "with the object"),
    ExpiryRule(
        JobRow, "users' jobs that succeeded, were cancelled or rejected", JobRow.finished_at, JOBS,
        (_ENDED, JobRow.user_id.is_not(None)), _OF_JOBS, batch=100,
    ),
    ExpiryRule(
        JobRow, "the same of jobs that no user sees, such as mails", JobRow.finished_at, FILES,
        (_ENDED, JobRow.user_id.is_(None)), _OF_JOBS,
    ),
    ExpiryRule(
        JobRow, "jobs that have failed", JobRow.finished_at, DEAD_LETTERS,
        (JobRow.state == "failed", not_(JobRow.rejected)), _OF_JOBS, batch=100,
    ),
    ExpiryRule(
        JobFileRow, "uploads and results, not of jobs that can go on", JobFileRow.at, FILES, (~_UNFINISHED,), batch=50
    ),
    KeepRule(RefusedLineRow, "with the job"),
    ExpiryRule(OutboxRow, "events that were published", OutboxRow.carried_at, EVENTS),
    # After the events: an inbox entry must outlive its event, which could be published again.
    ExpiryRule(HandledEventRow, "which events were handled", HandledEventRow.at, EVENTS),
    ExpiryRule(
        FailedDeliveryRow, "deliveries that were given up", FailedDeliveryRow.at, DEAD_LETTERS,
        (FailedDeliveryRow.due_at.is_(None),),
    ),
    ExpiryRule(DeletedUserRow, "ids of deleted users", DeletedUserRow.at, TOMBSTONES),
    ExpiryRule(
        EndedSessionRow, "ended sessions, at services without their own", EndedSessionRow.tokens_expire_at, timedelta(0)
    ),
    KeepRule(UserVersionRow, WITH_ACCOUNT),
)  # fmt: skip
"""In order of application."""
