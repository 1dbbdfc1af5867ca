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
        """Return up to `limit` notifications, newest first, older than the one named `after`."""

    def unread(self, user_id: UUID) -> int:
        """Return how many this user has not read."""

    def mark_read(self, user_id: UUID, notification_id: UUID, now: datetime) -> bool:
        """Note that a notification of this user is read, if it was not, and say whether there is one."""

    def mark_all_read(self, user_id: UUID, now: datetime) -> None: ...


class Recipients(Protocol):
    def put(self, recipient: Recipient, at: datetime) -> None:
        """Store what was true of somebody at a time, unless something later is known.

        An address that was verified once stays so, in whatever order that is heard.
        """

    def get(self, user_id: UUID) -> Recipient | None: ...


class PreferencesOfUsers(Protocol):
    def get(self, user_id: UUID) -> Preferences:
        """Return what this user has chosen, or what holds for who has not."""

    def change(self, user_id: UUID, change: dict[str, bool]) -> None:
        """Set some fields of Preferences, and leave the others to whoever changes them at the same time."""


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
        """Open a transaction that only reads."""

    def read_of(self, user_id: UUID, *, snapshot: bool = False) -> AbstractContextManager[NotificationWork]:
        """Open a transaction that reads this user's data, perhaps of a replica; a snapshot shows one moment."""

    def write(self) -> AbstractContextManager[NotificationWork]:
        """Open a transaction that commits when its block ends well."""
