"""Tables of the outbox and the inbox."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.types import UtcDateTime


class OutboxRow(Base):
    """An event. One that the relay has carried on stays for a while, so that it can be looked up."""

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, object]] = mapped_column(JSON)
    carried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    traceparent: Mapped[str | None] = mapped_column(String(55))

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
    traceparent: Mapped[str | None] = mapped_column(String(55))

    __table_args__ = (
        Index("idx_failed_deliveries_due_at", "due_at"),
        Index(
            "idx_failed_deliveries_dead",
            "at",
            postgresql_where=text("due_at IS NULL"),
            sqlite_where=text("due_at IS NULL"),
        ),
    )


class DeletedUserRow(Base):
    """A user whose account is deleted: events and jobs of theirs that come late do nothing."""

    __tablename__ = "deleted_users"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_deleted_users_at", "at"),)


class HandledEventRow(Base):
    """An event that a consumer has handled, noted with what it did: a second delivery does nothing."""

    __tablename__ = "handled_events"

    consumer: Mapped[str] = mapped_column(String(40), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_handled_events_at", "at"),)
