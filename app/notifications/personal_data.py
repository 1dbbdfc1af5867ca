"""Data export and erasure of a user's notifications."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.core.personal_data import DataPage, json_file
from app.notifications.model import Delivery, Notification, Phone, Preferences, Recipient

PAGE = 1000
"""Notifications per file."""


class UsersNotifications(Protocol):
    def all_of(self, user_id: UUID, after: UUID | None, limit: int) -> list[Notification]:
        """Return up to `limit` notifications, newest first, older than `after`."""

    def delete_of(self, user_id: UUID, limit: int) -> int:
        """Delete up to `limit` notifications of a user; return the number of rows."""


class UsersRecipient(Protocol):
    def get(self, user_id: UUID) -> Recipient | None: ...

    def delete(self, user_id: UUID) -> int:
        """Delete a user's recipient; return the number of rows."""


class UsersPreferences(Protocol):
    def get(self, user_id: UUID) -> Preferences: ...

    def delete(self, user_id: UUID) -> int:
        """Delete a user's preferences; return the number of rows."""


class UsersDeliveries(Protocol):
    def of_user(self, user_id: UUID, after: tuple[UUID, str] | None, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries, ordered by notification and channel, past `after`."""

    def delete_of(self, user_id: UUID, limit: int) -> int:
        """Delete up to `limit` deliveries of a user; return the number of rows."""


class UsersPhone(Protocol):
    def get(self, user_id: UUID) -> Phone | None: ...

    def delete(self, user_id: UUID) -> int:
        """Delete a user's number; return the number of rows."""


class PersonalWork(Protocol):
    @property
    def notifications(self) -> UsersNotifications: ...

    @property
    def recipients(self) -> UsersRecipient: ...

    @property
    def preferences(self) -> UsersPreferences: ...

    @property
    def phones(self) -> UsersPhone: ...

    @property
    def deliveries(self) -> UsersDeliveries: ...


class NotificationsData:
    """Recipient, preferences and notifications: one JSON file per 1,000, newest first."""

    def page(self, work: PersonalWork, user_id: UUID, after: str | None) -> DataPage:
        found = work.notifications.all_of(user_id, UUID(after) if after else None, PAGE)
        files = [json_file(f"notifications-{after}.json" if after else "notifications.json", found)] if found else []
        if after is None:
            mails = {"recipient": work.recipients.get(user_id), "preferences": work.preferences.get(user_id)}
            files.append(json_file("mail-preferences.json", mails))
            if phone := work.phones.get(user_id):
                files.append(json_file("phone.json", phone))
        return DataPage(files, str(found[-1].id) if len(found) == PAGE else None)


class DeliveriesData:
    """Deliveries by e-mail and SMS: one JSON file per 1,000, the oldest first."""

    def page(self, work: PersonalWork, user_id: UUID, after: str | None) -> DataPage:
        notification, _, channel = (after or "").partition(".")
        found = work.deliveries.of_user(user_id, (UUID(notification), channel) if after else None, PAGE)
        files = [json_file(f"deliveries-{after}.json" if after else "deliveries.json", found)] if found else []
        last = found[-1] if len(found) == PAGE else None
        return DataPage(files, f"{last.notification_id}.{last.channel}" if last else None)


def erase(work: PersonalWork, user_id: UUID, _now: datetime, limit: int) -> int:
    """Delete recipient, preferences, number, and up to `limit` notifications and deliveries each; return the rows."""
    rows = work.recipients.delete(user_id) + work.preferences.delete(user_id) + work.phones.delete(user_id)
    return rows + work.notifications.delete_of(user_id, limit) + work.deliveries.delete_of(user_id, limit)
