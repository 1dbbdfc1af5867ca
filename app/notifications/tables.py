"""Tables of the notifications service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, SmallInteger, String, false, true
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
    # Always `reminder`, the one kind that the former release can read; `event_kind` tells.
    kind: Mapped[str] = mapped_column(String(20))
    # Without a value in rows of the former release: a reminder.
    event_kind: Mapped[str | None] = mapped_column(String(20))
    task_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    in_app: Mapped[bool] = mapped_column(server_default=true())

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
    # The address to which no mail goes any more, and why. It counts for as long as it is the user's.
    suspended_email: Mapped[str | None] = mapped_column(String(254))
    suspended_reason: Mapped[str | None] = mapped_column(String(100))

    __table_args__ = (Index("idx_recipients_email", "email"),)


class PreferencesRow(NotificationsBase):
    """Preferences of a user; without a row, the defaults apply."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    reminder_mails: Mapped[bool]
    weekly_report: Mapped[bool]
    time_zone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    # Minutes since midnight.
    quiet_start: Mapped[int | None] = mapped_column(SmallInteger)
    quiet_end: Mapped[int | None] = mapped_column(SmallInteger)


class ChannelChoiceRow(NotificationsBase):
    """Whether a user wants a kind of notification by a channel, as far as no column of PreferencesRow says it."""

    __tablename__ = "notification_channels"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    enabled: Mapped[bool]


class PhoneRow(NotificationsBase):
    """Telephone number of a user, and the code under way that verifies it."""

    __tablename__ = "phone_numbers"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20))
    verified: Mapped[bool]
    suspended: Mapped[str | None] = mapped_column(String(100))
    code_id: Mapped[UUID | None]
    code_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code_tries: Mapped[int] = mapped_column(SmallInteger)
    code_sent: Mapped[bool]


class DeliveryRow(NotificationsBase):
    """A notification's way by a channel outside the app: at most one, whatever is repeated."""

    __tablename__ = "notification_deliveries"

    notification_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    user_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(100))
    # When the state was set; empty before the first try.
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The provider's name of the message, by which its support finds it.
    provider_id: Mapped[str | None] = mapped_column(String(100))

    __table_args__ = (
        Index("idx_notification_deliveries_user", "user_id", "channel", "decided_at"),
        Index("idx_notification_deliveries_created_at", "created_at"),
        Index("idx_notification_deliveries_decided_at", "decided_at"),
    )


BRANCH = Branch("notifications", "notifications_0005", NotificationsBase.metadata)
