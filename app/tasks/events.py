"""Events of the tasks service.

Consumers ignore an event with a lower `version` than one seen before: events may arrive twice or out of order.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from app.core.clock import NewId
from app.core.events.contracts import EventType, Id, Time
from app.core.events.model import Event
from app.tasks.model import Status, Task

SNAPSHOT = 100
"""Tasks per snapshot event: the relay publishes many events in one transaction."""

StatusName = Annotated[str, Field(json_schema_extra={"enum": [status.value for status in Status]})]


class TaskState(TypedDict):
    """The fields that statistics and reminders depend on."""

    status: StatusName
    due_at: Time | None
    remind_at: Time | None


class TaskFacts(TaskState):
    """A task, without what only its owner needs to read."""

    task_id: Id
    version: Annotated[int, Field(ge=1, description="Counts the changes of the task")]
    title: str
    created_at: Time


class ChangedTask(TaskFacts):
    """A task, and its former state."""

    was: TaskState


class TaskSnapshot(TaskFacts):
    """A task, and when it was last changed."""

    updated_at: Time


class TaskSnapshots(TypedDict):
    tasks: Annotated[list[TaskSnapshot], Field(max_length=SNAPSHOT)]


class FinishedImport(TypedDict):
    created: Annotated[int, Field(ge=0, description="Tasks that it has created")]
    rejected: Annotated[int, Field(ge=0, description="Lines that it has rejected")]


EVENTS = (
    EventType("task.created", "A task was created", TaskFacts),
    EventType("task.changed", "A task was changed, and not completed", ChangedTask),
    EventType("task.completed", "A task was changed: its status has become `done`", ChangedTask),
    EventType("task.deleted", "A task was deleted: its last state", TaskFacts),
    EventType("task.reminder_due", "The reminder of a task is due", TaskFacts),
    EventType("task.overdue", "The due date of a task that is not done has passed", TaskFacts),
    EventType("task.import_finished", "An import of tasks has finished", FinishedImport),
    EventType("task.snapshot", "Current state of many tasks of a user: of an import, or republished", TaskSnapshots),
)


def created(task: Task, new_id: NewId) -> Event:
    return Event(new_id(), "task.created", task.user_id, task.created_at, _facts(task))


def changed(task: Task, before: Task, new_id: NewId) -> Event:
    completed = task.status is Status.DONE and before.status is not Status.DONE
    name = "task.completed" if completed else "task.changed"
    payload: ChangedTask = {**_facts(task), "was": _state(before)}
    return Event(new_id(), name, task.user_id, task.updated_at, payload)


def deleted(task: Task, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), "task.deleted", task.user_id, now, _facts(task))


def reminder_due(task: Task, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), "task.reminder_due", task.user_id, now, _facts(task))


def overdue(task: Task, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), "task.overdue", task.user_id, now, _facts(task))


def import_finished(user_id: UUID, created: int, rejected: int, new_id: NewId, now: datetime) -> Event:
    payload: FinishedImport = {"created": created, "rejected": rejected}
    return Event(new_id(), "task.import_finished", user_id, now, payload)


def snapshots(user_id: UUID, tasks: Sequence[Task], new_id: NewId, now: datetime) -> Iterator[Event]:
    """Yield snapshot events of any number of tasks of one user."""
    for start in range(0, len(tasks), SNAPSHOT):
        yield snapshot(user_id, tasks[start : start + SNAPSHOT], new_id, now)


def snapshot(user_id: UUID, tasks: Sequence[Task], new_id: NewId, now: datetime) -> Event:
    """Return the snapshot event of at most SNAPSHOT tasks."""
    states: list[TaskSnapshot] = [{**_facts(task), "updated_at": _text(task.updated_at)} for task in tasks]
    payload: TaskSnapshots = {"tasks": states}
    return Event(new_id(), "task.snapshot", user_id, now, payload)


def _facts(task: Task) -> TaskFacts:
    return {
        "task_id": str(task.id),
        "version": task.version,
        "title": task.title,
        "created_at": _text(task.created_at),
        **_state(task),
    }


def _state(task: Task) -> TaskState:
    return {
        "status": task.status.value,
        "due_at": _text(task.due_at) if task.due_at else None,
        "remind_at": _text(task.remind_at) if task.remind_at else None,
    }


@lru_cache(maxsize=1024)  # tasks of an import share few distinct times
def _text(time: datetime) -> str:
    return time.isoformat()
