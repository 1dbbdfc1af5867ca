"""Read model of a task: facts merge in any order, and any number of times."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

DONE = "done"
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Fact:
    """What is known of a task.

    Args:
        version: of the task, which title, status and due date are those of.
        completed_version, completed_at: the latest completion that is known, whether or not the task was opened again.
            Version 0 marks a time that was only inferred: a real one takes its place.
        deleted_at: when it was deleted; what it was last stays known, but not its title.
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
        """The day on which it was created, in UTC."""
        return self.created_at.date()

    @property
    def completed_on(self) -> date | None:
        """The day on which it was last completed, in UTC, if it still is."""
        return self.completed_at.date() if self.completed_at and self.status == DONE else None

    @property
    def seconds_to_completion(self) -> int | None:
        """Seconds between creation and completion; None for what was not open in between, such as an imported task
        that was done already."""
        if self.completed_on is None or self.completed_at is None or self.completed_at <= self.created_at:
            return None
        return round((self.completed_at - self.created_at).total_seconds())


def merged(one: Fact, other: Fact) -> Fact:
    """Return what is known of a task from both.

    Associative, commutative and idempotent: so events give the same facts in any order, and doubled.
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
