"""The tables. Each belongs to one service; no foreign key crosses from one service's tables to another's."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    desc,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.storage.types import BinaryText, UtcDateTime


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


# --- auth


class UserRow(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    role: Mapped[str] = mapped_column(String(20), server_default="user")
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    avatar_id: Mapped[UUID | None]

    __table_args__ = (Index("idx_users_email", "email", unique=True),)


class SessionRow(Base):
    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Missing in what a release before this column wrote.
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_sessions_user_id", "user_id"),)


class RefreshTokenRow(Base):
    __tablename__ = "refresh_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("idx_refresh_tokens_session_id", "session_id"),
        Index("idx_refresh_tokens_expires_at", "expires_at"),
    )


class PasswordResetRow(Base):
    """A wish for a new password. What the link holds is made from the identifier and a key, and stands nowhere."""

    __tablename__ = "password_resets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("idx_password_resets_user_id", "user_id"),
        Index("idx_password_resets_expires_at", "expires_at"),
    )


class AuditRow(Base):
    """Triggers refuse to change or delete a row."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(50))
    subject_id: Mapped[UUID | None]
    remote: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, str]] = mapped_column(JSON)

    __table_args__ = (
        Index("idx_audit_log_actor_id", "actor_id"),
        Index("idx_audit_log_at", "at"),
    )


# --- nobody's: what the storage itself keeps


class UserVersionRow(Base):
    """Counts the changes of what a user sees; without Redis, answers are kept under it."""

    __tablename__ = "user_versions"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


class OutboxRow(Base):
    """An event. One that the relay has carried on stays for a while, so that it can be looked up."""

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)
    carried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "idx_outbox_waiting",
            "id",
            postgresql_where=text("carried_at IS NULL"),
            sqlite_where=text("carried_at IS NULL"),
        ),
        Index("idx_outbox_carried_at", "carried_at"),
    )


class FailedDeliveryRow(Base):
    """An event that a consumer has failed to handle: `due_at` is when it is tried again, never for a dead letter."""

    __tablename__ = "failed_deliveries"

    consumer: Mapped[str] = mapped_column(String(40), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)
    failures: Mapped[int]
    # The kind of the error and no more: a message may hold what nobody should read here.
    error: Mapped[str] = mapped_column(String(100))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_failed_deliveries_due_at", "due_at"),)


class HandledEventRow(Base):
    """An event that a consumer has handled, noted with what it did: a second delivery does nothing."""

    __tablename__ = "handled_events"

    consumer: Mapped[str] = mapped_column(String(40), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_handled_events_at", "at"),)


class ObjectRow(Base):
    """A file. One that nothing refers to is loose from a time on, and then swept away."""

    __tablename__ = "objects"

    key: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    loose_from: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "idx_objects_loose_from",
            "loose_from",
            postgresql_where=text("loose_from IS NOT NULL"),
            sqlite_where=text("loose_from IS NOT NULL"),
        ),
    )


class ObjectPieceRow(Base):
    """A piece of a file whose bytes are kept in the database."""

    __tablename__ = "object_pieces"

    key: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class JobRow(Base):
    """A job. `due_at` is when somebody may begin it: while it runs, the end of the lease of who does it."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[dict[str, object]] = mapped_column(JSON)
    checkpoint: Mapped[dict[str, object]] = mapped_column(JSON)
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int]
    cancelling: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(500))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    announced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[UUID | None]
    unique_key: Mapped[str | None] = mapped_column(String(100))

    __table_args__ = (
        Index("idx_jobs_user_id", "user_id", "id"),
        Index("idx_jobs_state_due", "state", "due_at"),
        Index("idx_jobs_unique_key", "unique_key", unique=True),
    )


class JobFileRow(Base):
    """A piece of a job's file: what was uploaded for it, or its result."""

    __tablename__ = "job_files"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_job_files_at", "at"),)


class RefusedLineRow(Base):
    __tablename__ = "job_refused_lines"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(String(200))


# --- tasks

REMINDER_TO_COME = "remind_at IS NOT NULL AND status <> 'done' AND (reminded_for IS NULL OR reminded_for <> remind_at)"
"""Whether a task still has a reminder. A query that has this very condition is answered from the index of the same."""


class TaskRow(Base):
    __tablename__ = "tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    remind_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The time that its owner has been reminded for: another one is still to come.
    reminded_for: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int]
    # How many attachments it has, changed with them: a list need not count them.
    attachments: Mapped[int] = mapped_column(server_default="0")
    # Derived from title and description by services.tasks.listing: folding case is done once, at the write, and by the
    # same rule on every database.
    title_key: Mapped[str] = mapped_column(BinaryText)
    search_text: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("status IN ('todo', 'in_progress', 'done')", name="status"),
        # the indexes of the specification
        Index("idx_tasks_user_id", "user_id"),
        Index("idx_tasks_status", "status"),
        Index("idx_tasks_created_at", desc("created_at")),
        Index("idx_tasks_user_status", "user_id", "status"),
        # one index for each order of a list: read forwards or backwards, a page costs the same at any depth
        Index("idx_tasks_user_created", "user_id", "created_at", "id"),
        Index("idx_tasks_user_updated", "user_id", "updated_at", "id"),
        Index("idx_tasks_user_due", "user_id", "due_at", "id"),
        Index("idx_tasks_user_title", "user_id", "title_key", "id"),
        # whom to remind: the index holds what is still to come, and stays small however much has been
        Index(
            "idx_tasks_reminders",
            "remind_at",
            postgresql_where=text(REMINDER_TO_COME),
            sqlite_where=text(REMINDER_TO_COME),
        ),
    )


class TaskTagRow(Base):
    __tablename__ = "task_tags"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(BinaryText, primary_key=True)
    user_id: Mapped[UUID]

    __table_args__ = (Index("idx_task_tags_user_tag", "user_id", "tag", "task_id"),)


class AttachmentRow(Base):
    """A file of a task; its identifier is the file's key. No foreign key leads to the task: a cascade would take the
    row without giving its size back to the user's usage."""

    __tablename__ = "attachments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID]
    user_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_attachments_task_id", "task_id", "id"),)


class AttachmentUsageRow(Base):
    """The bytes of a user's attachments together."""

    __tablename__ = "attachment_usage"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger)


class OnceRow(Base):
    """A request that a client has named, and its result."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    result: Mapped[Any] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_idempotency_keys_created_at", "created_at"),)


# --- notifications


class NotificationRow(Base):
    __tablename__ = "notifications"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(20))
    task_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("idx_notifications_user_id", "user_id", "id"),
        Index(
            "idx_notifications_unread",
            "user_id",
            postgresql_where=text("read_at IS NULL"),
            sqlite_where=text("read_at IS NULL"),
        ),
        Index("idx_notifications_created_at", "created_at"),
    )


class RecipientRow(Base):
    """A copy of what mails need of an account, as it was at a time."""

    __tablename__ = "recipients"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class PreferencesRow(Base):
    """What a user has chosen. Who has no row has not."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    reminder_mails: Mapped[bool]
    weekly_report: Mapped[bool]


# --- analytics


class TaskFactRow(Base):
    """What is known of a task (see app.services.analytics.facts). The last three columns follow from the others."""

    __tablename__ = "task_facts"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    completed_version: Mapped[int]
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_on: Mapped[date]
    completed_on: Mapped[date | None]
    seconds_to_completion: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("idx_task_facts_user_created", "user_id", "created_on"),
        Index("idx_task_facts_user_completed", "user_id", "completed_on"),
        Index(
            "idx_task_facts_user_status",
            "user_id",
            "status",
            "due_at",
            postgresql_where=text("deleted_at IS NULL"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
        Index(
            "idx_task_facts_deleted_at",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL"),
            sqlite_where=text("deleted_at IS NOT NULL"),
        ),
    )


class DailyCountRow(Base):
    """What a user created and completed on a day, of the tasks whose facts have been rolled up."""

    __tablename__ = "daily_counts"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    created: Mapped[int]
    completed: Mapped[int]
