"""Events of the tasks service.

    task.created       the task
    task.changed       the task, and its former state as `was`
    task.completed     the same, in place of `task.changed`: the status has become `done`
    task.deleted       the task in its last state
    task.reminder_due  the task whose reminder is due
    task.snapshot      the current state of many tasks: those of an import, or all tasks when republished

Consumers ignore an event with a lower `version` than one seen before: events may arrive twice or out of order.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from app.core.clock import NewId
from app.core.events.model import Event
from app.tasks.model import Status, Task

SNAPSHOT = 100
"""Tasks per snapshot event: the relay publishes many events in one transaction."""


def created(task: Task, new_id: NewId) -> Event:
    return Event(new_id(), "task.created", task.user_id, task.created_at, _facts(task))


def changed(task: Task, before: Task, new_id: NewId) -> Event:
    completed = task.status is Status.DONE and before.status is not Status.DONE
    name = "task.completed" if completed else "task.changed"
    return Event(new_id(), name, task.user_id, task.updated_at, {**_facts(task), "was": _state(before)})


def deleted(task: Task, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), "task.deleted", task.user_id, now, _facts(task))


def reminder_due(task: Task, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), "task.reminder_due", task.user_id, now, _facts(task))


def snapshots(user_id: UUID, tasks: Sequence[Task], new_id: NewId, now: datetime) -> Iterator[Event]:
    """Yield snapshot events of any number of tasks of one user."""
    for start in range(0, len(tasks), SNAPSHOT):
        yield snapshot(user_id, tasks[start : start + SNAPSHOT], new_id, now)


def snapshot(user_id: UUID, tasks: Sequence[Task], new_id: NewId, now: datetime) -> Event:
    """Return the snapshot event of at most SNAPSHOT tasks."""
    states = [{**_facts(task), "updated_at": _text(task.updated_at)} for task in tasks]
    return Event(new_id(), "task.snapshot", user_id, now, {"tasks": states})


def _facts(task: Task) -> dict[str, object]:
    return {
        "task_id": str(task.id),
        "version": task.version,
        "title": task.title,
        "created_at": _text(task.created_at),
        **_state(task),
    }


def _state(task: Task) -> dict[str, object]:
    """Return the fields that statistics and reminders depend on."""
    return {"status": task.status.value, "due_at": _text(task.due_at), "remind_at": _text(task.remind_at)}


@lru_cache(maxsize=1024)  # tasks of an import share few distinct times
def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
