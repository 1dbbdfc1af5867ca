"""Event consumer that projects task events into facts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.analytics.ports import AnalyticsWork
from app.analytics.read_model import DONE, Fact, merged
from app.core.events.model import Event


class TaskFactProjection:
    """Projects task events into facts."""

    name = "analytics"
    events = ("task.created", "task.changed", "task.completed", "task.deleted", "task.snapshot")

    def handle(self, work: AnalyticsWork, event: Event) -> None:
        """Merge the facts of the event with the stored ones."""
        received = {fact.task_id: fact for fact in facts_of(event)}
        # Insert before the locking read: of concurrent transactions with a new task, the second waits and merges.
        added = work.facts.add(list(received.values()))
        for stored in work.facts.lock(received.keys() - added):
            if (fact := merged(stored, received[stored.task_id])) != stored:
                work.facts.replace(fact)


def facts_of(event: Event) -> list[Fact]:
    """Return the facts of an event, one per task."""
    if event.user_id is None:
        raise ValueError(f"{event.name} without a user")
    if event.name == "task.snapshot":
        tasks: Any = event.payload["tasks"]
        return [_snapshot(event.user_id, task) for task in tasks]
    return [_fact(event, event.user_id, event.payload)]


def _fact(event: Event, user_id: UUID, state: Mapping[str, Any]) -> Fact:
    status, version = state["status"], state["version"]
    completed = event.name == "task.completed" or (event.name == "task.created" and status == DONE)
    deleted = event.name == "task.deleted"
    return Fact(
        task_id=UUID(state["task_id"]),
        user_id=user_id,
        version=version,
        title="" if deleted else state["title"],
        status=status,
        due_at=_time(state["due_at"]),
        created_at=datetime.fromisoformat(state["created_at"]),
        completed_version=version if completed else 0,
        completed_at=event.at if completed else None,
        deleted_at=event.at if deleted else None,
    )


def _snapshot(user_id: UUID, state: Mapping[str, Any]) -> Fact:
    """Return the fact of a task in a snapshot, whose completion time is inferred: not later than its last change."""
    return Fact(
        task_id=UUID(state["task_id"]),
        user_id=user_id,
        version=state["version"],
        title=state["title"],
        status=state["status"],
        due_at=_time(state["due_at"]),
        created_at=datetime.fromisoformat(state["created_at"]),
        completed_at=datetime.fromisoformat(state["updated_at"]) if state["status"] == DONE else None,
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
