"""Tables of the notifications service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.database.base import new_metadata
from app.core.database.migrate import Branch
from app.core.database.partial_index import where
from app.core.database.types import UtcDateTime


class NotificationsBase(DeclarativeBase):
    metadata = new_metadata()


class NotificationRow(NotificationsBase):
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
        Index("idx_notifications_unread", "user_id", **where("read_at IS NULL")),
        Index("idx_notifications_created_at", "created_at"),
    )


class RecipientRow(NotificationsBase):
    """Projection of an account for mails, as of `at`."""

    __tablename__ = "recipients"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    verified: Mapped[bool] = mapped_column(server_default=false())
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class PreferencesRow(NotificationsBase):
    """Mail preferences of a user; without a row, the defaults apply."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    reminder_mails: Mapped[bool]
    weekly_report: Mapped[bool]


BRANCH = Branch("notifications", "notifications_0002", NotificationsBase.metadata)
