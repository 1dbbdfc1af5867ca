"""Data export and erasure of a user's notifications."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.core.personal_data import DataPage, json_file
from app.notifications.model import Notification, Preferences, Recipient

PAGE = 1000
"""Notifications per file."""


class UsersNotifications(Protocol):
    def find(self, user_id: UUID, after: UUID | None, limit: int) -> list[Notification]:
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


class PersonalWork(Protocol):
    @property
    def notifications(self) -> UsersNotifications: ...

    @property
    def recipients(self) -> UsersRecipient: ...

    @property
    def preferences(self) -> UsersPreferences: ...


class NotificationsData:
    """Recipient, preferences and notifications: one JSON file per 1,000, newest first."""

    def page(self, work: PersonalWork, user_id: UUID, after: str | None) -> DataPage:
        found = work.notifications.find(user_id, UUID(after) if after else None, PAGE)
        files = [json_file(f"notifications-{after}.json" if after else "notifications.json", found)] if found else []
        if after is None:
            mails = {"recipient": work.recipients.get(user_id), "preferences": work.preferences.get(user_id)}
            files.append(json_file("mail-preferences.json", mails))
        return DataPage(files, str(found[-1].id) if len(found) == PAGE else None)


def erase(work: PersonalWork, user_id: UUID, _now: datetime, limit: int) -> int:
    """Delete recipient, preferences and up to `limit` notifications of a user; return the number of rows."""
    rows = work.recipients.delete(user_id) + work.preferences.delete(user_id)
    return rows + work.notifications.delete_of(user_id, limit)
