"""Event consumer that projects task events into facts."""

from datetime import datetime
from types import MappingProxyType
from typing import cast
from uuid import UUID

from typing_extensions import TypedDict

from app.analytics.ports import AnalyticsWork
from app.analytics.read_model import DONE, Fact, merged
from app.core.events.contracts import Id, Time
from app.core.events.model import Event


class DeletedTask(TypedDict):
    task_id: Id
    version: int
    status: str
    due_at: Time | None
    created_at: Time


class TaskState(DeletedTask):
    title: str


class TaskSnapshot(TaskState):
    updated_at: Time


class TaskSnapshots(TypedDict):
    tasks: list[TaskSnapshot]


class TaskFactProjection:
    """Projects task events into facts."""

    name = "analytics"
    reads = MappingProxyType(
        {
            "task.created": TaskState,
            "task.changed": TaskState,
            "task.completed": TaskState,
            "task.deleted": DeletedTask,
            "task.snapshot": TaskSnapshots,
        }
    )
    events = reads.keys()

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
        return [_snapshot(event.user_id, task) for task in cast("TaskSnapshots", event.payload)["tasks"]]
    if event.name == "task.deleted":
        return [_fact(event, event.user_id, cast("DeletedTask", event.payload), title="")]
    task = cast("TaskState", event.payload)
    return [_fact(event, event.user_id, task, task["title"])]


def _fact(event: Event, user_id: UUID, task: DeletedTask, title: str) -> Fact:
    status, version = task["status"], task["version"]
    completed = event.name == "task.completed" or (event.name == "task.created" and status == DONE)
    return Fact(
        task_id=UUID(task["task_id"]),
        user_id=user_id,
        version=version,
        title=title,
        status=status,
        due_at=_time(task["due_at"]),
        created_at=datetime.fromisoformat(task["created_at"]),
        completed_version=version if completed else 0,
        completed_at=event.at if completed else None,
        deleted_at=event.at if event.name == "task.deleted" else None,
    )


def _snapshot(user_id: UUID, task: TaskSnapshot) -> Fact:
    """Return the fact of a task in a snapshot, whose completion time is inferred: not later than its last change."""
    return Fact(
        task_id=UUID(task["task_id"]),
        user_id=user_id,
        version=task["version"],
        title=task["title"],
        status=task["status"],
        due_at=_time(task["due_at"]),
        created_at=datetime.fromisoformat(task["created_at"]),
        completed_at=datetime.fromisoformat(task["updated_at"]) if task["status"] == DONE else None,
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
