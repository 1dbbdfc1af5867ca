"""Deletion of all that the notifications service has of a user."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class UsersNotifications(Protocol):
    def delete_of(self, user_id: UUID, limit: int) -> int:
        """Delete up to `limit` notifications of a user, and return how many it were."""


class UsersRow(Protocol):
    def delete(self, user_id: UUID) -> int:
        """Delete the row of a user, if there is one; return how many it were."""


class ErasureWork(Protocol):
    @property
    def notifications(self) -> UsersNotifications: ...

    @property
    def recipients(self) -> UsersRow: ...

    @property
    def preferences(self) -> UsersRow: ...


def erase(work: ErasureWork, user_id: UUID, _now: datetime, limit: int) -> int:
    """Delete where mails go, what was chosen, and up to `limit` notifications; return how many rows it were."""
    rows = work.recipients.delete(user_id) + work.preferences.delete(user_id)
    return rows + work.notifications.delete_of(user_id, limit)
