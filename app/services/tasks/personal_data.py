"""Deletion of all that the tasks service has of a user."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.platform.objects.model import Objects


class UsersTasks(Protocol):
    def delete_some(self, user_id: UUID, limit: int) -> list[UUID]:
        """Delete up to `limit` tasks of a user with their tags, and return which."""


class UsersAttachments(Protocol):
    def delete_of(self, user_id: UUID, task_ids: Sequence[UUID]) -> list[UUID]:
        """Delete all attachments of these tasks of this user, and return their identifiers."""

    def delete_usage(self, user_id: UUID) -> int:
        """Delete the count of a user's bytes; return how many rows it were."""


class ErasureWork(Protocol):
    @property
    def tasks(self) -> UsersTasks: ...

    @property
    def attachments(self) -> UsersAttachments: ...

    @property
    def objects(self) -> Objects: ...


def erase(work: ErasureWork, user_id: UUID, now: datetime, limit: int) -> int:
    """Delete up to `limit` tasks of a user and what hangs on them, at last the rest; return how many it were."""
    if tasks := work.tasks.delete_some(user_id, limit):
        if files := work.attachments.delete_of(user_id, tasks):
            work.objects.loosen(files, now)
        return len(tasks)
    return work.attachments.delete_usage(user_id)
