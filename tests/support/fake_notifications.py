"""Stand-ins for the tables that the rules of notifications lean on, in memory."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from app.notifications.model import Notification, Preferences, Recipient


@dataclass
class FakeNotifications:
    rows: dict[UUID, Notification] = field(default_factory=dict)

    def add(self, notification: Notification) -> None:
        self.rows[notification.id] = notification

    def get(self, notification_id: UUID) -> Notification | None:
        return self.rows.get(notification_id)

    def find(self, user_id: UUID, after: UUID | None, limit: int) -> list[Notification]:
        older = (row for row in self._of(user_id) if after is None or row.id < after)
        return sorted(older, key=lambda row: row.id, reverse=True)[:limit]

    def unread(self, user_id: UUID) -> int:
        return sum(row.read_at is None for row in self._of(user_id))

    def mark_read(self, user_id: UUID, notification_id: UUID, now: datetime) -> bool:
        found = [row for row in self._of(user_id) if row.id == notification_id]
        for row in found:
            self.rows[row.id] = replace(row, read_at=row.read_at or now)
        return bool(found)

    def mark_all_read(self, user_id: UUID, now: datetime) -> None:
        for row in self._of(user_id):
            self.mark_read(user_id, row.id, now)

    def _of(self, user_id: UUID) -> list[Notification]:
        return [row for row in self.rows.values() if row.user_id == user_id]


@dataclass
class FakePreferences:
    rows: dict[UUID, Preferences] = field(default_factory=dict)

    def get(self, user_id: UUID) -> Preferences:
        return self.rows.get(user_id, Preferences())

    def change(self, user_id: UUID, change: dict[str, bool]) -> None:
        self.rows[user_id] = replace(self.get(user_id), **change)

    def wanting_reports(self, users: Collection[UUID]) -> list[UUID]:
        return [user_id for user_id in users if self.get(user_id).weekly_report]


@dataclass
class FakeRecipients:
    rows: dict[UUID, Recipient] = field(default_factory=dict)

    def put(self, recipient: Recipient, at: datetime) -> None:
        del at
        self.rows[recipient.user_id] = recipient

    def get(self, user_id: UUID) -> Recipient | None:
        return self.rows.get(user_id)
