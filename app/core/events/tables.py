"""Tables of the outbox, the inbox and the deleted users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.partial_index import where
from app.core.database.types import UtcDateTime


class OutboxRow(Base):
    """An event. Published events are retained for a while, for diagnosis; `carried_at` is when it was published."""

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)
    carried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    traceparent: Mapped[str | None] = mapped_column(String(55))

    __table_args__ = (
        Index("idx_outbox_waiting", "id", **where("carried_at IS NULL")),
        Index("idx_outbox_carried_at", "carried_at"),
    )


class FailedDeliveryRow(Base):
    """An event that a consumer failed to handle. `due_at` is the time of the retry, null for a dead letter."""

    __tablename__ = "failed_deliveries"

    consumer: Mapped[str] = mapped_column(String(40), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)
    failures: Mapped[int]
    # The exception's type only: its message may contain personal data.
    error: Mapped[str] = mapped_column(String(100))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    traceparent: Mapped[str | None] = mapped_column(String(55))

    __table_args__ = (
        Index("idx_failed_deliveries_due_at", "due_at"),
        Index("idx_failed_deliveries_dead", "at", **where("due_at IS NULL")),
    )


class DeletedUserRow(Base):
    """A user whose account is deleted: late events and jobs of theirs are dropped."""

    __tablename__ = "deleted_users"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_deleted_users_at", "at"),)


class HandledEventRow(Base):
    """An event that a consumer has handled, stored in the same transaction: a repeated delivery has no effect."""

    __tablename__ = "handled_events"

    consumer: Mapped[str] = mapped_column(String(40), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_handled_events_at", "at"),)
