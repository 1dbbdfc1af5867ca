"""Event consumer that projects task events into facts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.analytics.ports import AnalyticsWork
from app.analytics.read_model import DONE, Fact, merged
from app.core.events.model import Event


class TaskFactProjection:
    """The consumer of what is told of tasks."""

    name = "analytics"
    events = ("task.created", "task.changed", "task.completed", "task.deleted", "task.snapshot")

    def handle(self, work: AnalyticsWork, event: Event) -> None:
        """Merge what the event tells with what is known."""
        told = {fact.task_id: fact for fact in facts_of(event)}
        # Added first and read after: of two transactions that hear of a new task at once, the second waits and merges.
        added = work.facts.add(list(told.values()))
        for known in work.facts.lock(told.keys() - added):
            if (fact := merged(known, told[known.task_id])) != known:
                work.facts.replace(fact)


def facts_of(event: Event) -> list[Fact]:
    """Return what an event tells of each task that it is about."""
    if event.user_id is None:
        raise ValueError(f"{event.name} without a user")
    if event.name == "task.snapshot":
        tasks: Any = event.payload["tasks"]
        return [_snapshot(event.user_id, task) for task in tasks]
    return [_fact(event, event.user_id, event.payload)]


def _fact(event: Event, user_id: UUID, told: Mapping[str, Any]) -> Fact:
    status, version = told["status"], told["version"]
    completed = event.name == "task.completed" or (event.name == "task.created" and status == DONE)
    deleted = event.name == "task.deleted"
    return Fact(
        task_id=UUID(told["task_id"]),
        user_id=user_id,
        version=version,
        title="" if deleted else told["title"],
        status=status,
        due_at=_time(told["due_at"]),
        created_at=datetime.fromisoformat(told["created_at"]),
        completed_version=version if completed else 0,
        completed_at=event.at if completed else None,
        deleted_at=event.at if deleted else None,
    )


def _snapshot(user_id: UUID, told: Mapping[str, Any]) -> Fact:
    """A snapshot does not tell when a task was completed: not later than it was changed."""
    return Fact(
        task_id=UUID(told["task_id"]),
        user_id=user_id,
        version=told["version"],
        title=told["title"],
        status=told["status"],
        due_at=_time(told["due_at"]),
        created_at=datetime.fromisoformat(told["created_at"]),
        completed_at=datetime.fromisoformat(told["updated_at"]) if told["status"] == DONE else None,
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
