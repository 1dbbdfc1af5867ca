"""Deletion of all that the analytics service has of a user."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class UsersFacts(Protocol):
    def delete_of(self, user_id: UUID, limit: int) -> int:
        """Delete up to `limit` facts of a user's tasks, or of their counts; return how many it were."""


class ErasureWork(Protocol):
    @property
    def facts(self) -> UsersFacts: ...


def erase(work: ErasureWork, user_id: UUID, _now: datetime, limit: int) -> int:
    """Delete up to `limit` facts or counts of a user; return how many it were."""
    return work.facts.delete_of(user_id, limit)
