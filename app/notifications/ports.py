"""Ports of the notifications service."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.core.events.model import Outbox
from app.core.mail import Outgoing
from app.notifications.model import Notification, Preferences, Recipient


class Notifications(Protocol):
    def add(self, notification: Notification) -> None: ...

    def get(self, notification_id: UUID) -> Notification | None: ...

    def find(self, user_id: UUID, after: UUID | None, limit: int) -> list[Notification]:
        """Return up to `limit` notifications, newest first, older than `after`."""

    def unread(self, user_id: UUID) -> int:
        """Return the number of unread notifications of this user."""

    def mark_read(self, user_id: UUID, notification_id: UUID, now: datetime) -> bool:
        """Mark a notification of this user as read, unless it is; return whether it exists."""

    def mark_all_read(self, user_id: UUID, now: datetime) -> None: ...


class Recipients(Protocol):
    def put(self, recipient: Recipient, at: datetime) -> None:
        """Upsert a recipient as of a time, unless a later state is stored.

        A verified address stays verified, whatever the order of events.
        """

    def get(self, user_id: UUID) -> Recipient | None: ...


class PreferencesOfUsers(Protocol):
    def get(self, user_id: UUID) -> Preferences:
        """Return this user's preferences, or the defaults."""

    def change(self, user_id: UUID, change: dict[str, bool]) -> None:
        """Set some fields of Preferences without overwriting concurrent changes of others."""


class NotificationWork(Protocol):
    """The notifications tables within one transaction."""

    @property
    def notifications(self) -> Notifications: ...

    @property
    def recipients(self) -> Recipients: ...

    @property
    def preferences(self) -> PreferencesOfUsers: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def mails(self) -> Outgoing: ...


class NotificationStorage(Protocol):
    def read(self) -> AbstractContextManager[NotificationWork]:
        """Open a read-only transaction."""

    def read_of(self, user_id: UUID, *, snapshot: bool = False) -> AbstractContextManager[NotificationWork]:
        """Open a read-only transaction with read-your-writes, perhaps on a replica, or one with a single snapshot."""

    def write(self) -> AbstractContextManager[NotificationWork]:
        """Open a transaction that commits when its block ends without an exception."""
