"""Read model of a task: facts that merge in any order and any number of times."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

DONE = "done"
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Fact:
    """State of a task as known from events.

    Args:
        version: version of the task that title, status and due date belong to.
        completed_version, completed_at: the latest known completion, whether or not the task was reopened. Version 0
            marks an inferred time, which a real one replaces.
        deleted_at: time of deletion; the last state is kept, except for the title.
    """

    task_id: UUID
    user_id: UUID
    version: int
    title: str
    status: str
    due_at: datetime | None
    created_at: datetime
    completed_version: int = 0
    completed_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def created_on(self) -> date:
        """Day of creation, in UTC."""
        return self.created_at.date()

    @property
    def completed_on(self) -> date | None:
        """Day of the last completion, in UTC; None if the task is not done."""
        return self.completed_at.date() if self.completed_at and self.status == DONE else None

    @property
    def seconds_to_completion(self) -> int | None:
        """Seconds from creation to completion; None if the task is not done, or was done at once, as by an import."""
        if self.completed_on is None or self.completed_at is None or self.completed_at <= self.created_at:
            return None
        return round((self.completed_at - self.created_at).total_seconds())


def merged(one: Fact, other: Fact) -> Fact:
    """Merge two facts of a task.

    Associative, commutative and idempotent: so events may arrive in any order, and more than once.
    """
    newer = max(one, other, key=lambda fact: fact.version)
    completion = max(one, other, key=lambda fact: (fact.completed_version, fact.completed_at or NEVER))
    deleted_at = max((one.deleted_at, other.deleted_at), key=lambda time: time or NEVER)
    return replace(
        newer,
        title="" if deleted_at else newer.title,
        completed_version=completion.completed_version,
        completed_at=completion.completed_at,
        deleted_at=deleted_at,
    )
