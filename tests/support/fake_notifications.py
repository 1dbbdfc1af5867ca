"""Stand-ins for the tables that the rules of notifications lean on, in memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.notifications.model import (
    Channel,
    Choices,
    Delivery,
    DeliveryState,
    Kind,
    Notification,
    Phone,
    Preferences,
    Recipient,
    VerificationCode,
)


@dataclass
class FakeNotifications:
    rows: dict[UUID, Notification] = field(default_factory=dict)

    def add(self, notification: Notification) -> None:
        self.rows[notification.id] = notification

    def get(self, notification_id: UUID) -> Notification | None:
        return self.rows.get(notification_id)

    def find(
        self, user_id: UUID, after: UUID | None, limit: int, kinds: Collection[Kind] = tuple(Kind)
    ) -> list[Notification]:
        older = (row for row in self._of(user_id, kinds) if after is None or row.id < after)
        return sorted(older, key=lambda row: row.id, reverse=True)[:limit]

    def unread(self, user_id: UUID, kinds: Collection[Kind] = tuple(Kind)) -> int:
        return sum(row.read_at is None for row in self._of(user_id, kinds))

    def show(self, notification_id: UUID) -> None:
        self.rows[notification_id] = replace(self.rows[notification_id], in_app=True)

    def mark_read(self, user_id: UUID, notification_id: UUID, now: datetime) -> bool:
        found = [row for row in self._of(user_id) if row.id == notification_id]
        for row in found:
            self.rows[row.id] = replace(row, read_at=row.read_at or now)
        return bool(found)

    def mark_all_read(self, user_id: UUID, now: datetime) -> None:
        for row in self._of(user_id):
            self.mark_read(user_id, row.id, now)

    def _of(self, user_id: UUID, kinds: Collection[Kind] = tuple(Kind)) -> list[Notification]:
        return [row for row in self.rows.values() if row.user_id == user_id and row.in_app and row.kind in kinds]


@dataclass
class FakePreferences:
    rows: dict[UUID, Preferences] = field(default_factory=dict)

    def get(self, user_id: UUID) -> Preferences:
        return self.rows.get(user_id, Preferences())

    def change(self, user_id: UUID, change: Mapping[str, Any], choices: Choices) -> None:
        former = self.get(user_id)
        others = {kind: {**former.others.get(kind, {}), **channels} for kind, channels in choices.items()}
        self.rows[user_id] = replace(former, others={**former.others, **others}, **change)


@dataclass
class FakeRecipients:
    rows: dict[UUID, Recipient] = field(default_factory=dict)

    def put(self, recipient: Recipient, at: datetime) -> None:
        del at
        self.rows[recipient.user_id] = recipient

    def get(self, user_id: UUID) -> Recipient | None:
        return self.rows.get(user_id)

    def lock(self, user_id: UUID) -> Recipient | None:
        return self.rows.get(user_id)

    def suspend(self, email: str, reason: str) -> bool:
        mine = [row for row in self.rows.values() if row.email == email]
        for row in mine:
            self.rows[row.user_id] = replace(row, suspended=reason)
        return bool(mine)

    def resume(self, user_id: UUID) -> None:
        self.rows[user_id] = replace(self.rows[user_id], suspended=None)


@dataclass
class FakePhones:
    rows: dict[UUID, Phone] = field(default_factory=dict)
    codes: dict[UUID, VerificationCode | None] = field(default_factory=dict)

    def get(self, user_id: UUID) -> Phone | None:
        return self.rows.get(user_id)

    def put(self, phone: Phone) -> None:
        self.rows[phone.user_id] = phone
        self.codes[phone.user_id] = None

    def code(self, user_id: UUID) -> VerificationCode | None:
        return self.codes.get(user_id)

    def put_code(self, user_id: UUID, code: VerificationCode | None) -> None:
        self.codes[user_id] = code

    def remove(self, user_id: UUID) -> None:
        del self.rows[user_id], self.codes[user_id]


@dataclass
class FakeDeliveries:
    rows: dict[tuple[UUID, Channel], Delivery] = field(default_factory=dict)

    def add(self, delivery: Delivery) -> None:
        self.rows.setdefault((delivery.notification_id, delivery.channel), delivery)

    def lock(self, delivery: Delivery) -> Delivery:
        self.add(delivery)
        return self.rows[delivery.notification_id, delivery.channel]

    def settle(
        self,
        notification_id: UUID,
        channel: Channel,
        state: DeliveryState,
        now: datetime,
        reason: str | None = None,
        provider_id: str | None = None,
    ) -> None:
        del provider_id
        key = notification_id, channel
        self.rows[key] = replace(self.rows[key], state=state, decided_at=now, reason=reason)

    def sent_since(self, user_id: UUID, channel: Channel, since: datetime) -> int:
        spent = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
        mine = [row for row in self.rows.values() if (row.user_id, row.channel) == (user_id, channel)]
        return sum(row.state in spent and row.decided_at is not None and row.decided_at > since for row in mine)
