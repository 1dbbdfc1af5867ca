"""Tables of the tasks service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, desc
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.database.base import new_metadata
from app.core.database.migrate import Branch
from app.core.database.partial_index import where
from app.core.database.types import BinaryText, UtcDateTime

REMINDER_TO_COME = "remind_at IS NOT NULL AND status <> 'done' AND (reminded_for IS NULL OR reminded_for <> remind_at)"
"""Condition of a pending reminder. A query with exactly this condition uses the partial index."""

OVERDUE_TO_COME = "due_at IS NOT NULL AND status <> 'done' AND (overdue_for IS NULL OR overdue_for <> due_at)"
"""Condition of a due date whose `task.overdue` is pending, likewise."""


class TasksBase(DeclarativeBase):
    metadata = new_metadata()


class TaskRow(TasksBase):
    __tablename__ = "tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    remind_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The reminder time already sent; a different `remind_at` is pending.
    reminded_for: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The due date whose `task.overdue` has been published; a different `due_at` is pending.
    overdue_for: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int]
    # Denormalised count of attachments, so that lists need not count them.
    attachments: Mapped[int] = mapped_column(server_default="0")
    # Derived from title and description by app.tasks.query: case is folded once, at the write, and by the same rule on
    # every database.
    title_key: Mapped[str] = mapped_column(BinaryText)
    search_text: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("status IN ('todo', 'in_progress', 'done')", name="status"),
        # indexes of the specification
        Index("idx_tasks_user_id", "user_id"),
        Index("idx_tasks_status", "status"),
        Index("idx_tasks_created_at", desc("created_at")),
        Index("idx_tasks_user_status", "user_id", "status"),
        # one index per sort order, scanned in either direction: a page costs the same at any depth
        Index("idx_tasks_user_created", "user_id", "created_at", "id"),
        Index("idx_tasks_user_updated", "user_id", "updated_at", "id"),
        Index("idx_tasks_user_due", "user_id", "due_at", "id"),
        Index("idx_tasks_user_title", "user_id", "title_key", "id"),
        # partial index of pending reminders: stays small however many were sent
        Index("idx_tasks_reminders", "remind_at", **where(REMINDER_TO_COME)),
        Index("idx_tasks_overdue", "due_at", **where(OVERDUE_TO_COME)),
    )


class TaskTagRow(TasksBase):
    __tablename__ = "task_tags"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(BinaryText, primary_key=True)
    user_id: Mapped[UUID]

    __table_args__ = (Index("idx_task_tags_user_tag", "user_id", "tag", "task_id"),)


class AttachmentRow(TasksBase):
    """A file of a task; its id is the key in the file store. No foreign key to the task: a cascade would delete the row
    without subtracting its size from the user's usage."""

    __tablename__ = "attachments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID]
    user_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("idx_attachments_task_id", "task_id", "id"),
        Index("idx_attachments_user_id", "user_id", "id"),
    )


class AttachmentUsageRow(TasksBase):
    """Total bytes of a user's attachments."""

    __tablename__ = "attachment_usage"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger)


BRANCH = Branch("tasks", "tasks_0002", TasksBase.metadata)
