"""Reminders and due dates: one event for each that is due."""

from collections.abc import Callable
from datetime import datetime

from app.core.clock import Clock, NewId
from app.core.events.model import Event
from app.tasks import events
from app.tasks.model import Task
from app.tasks.ports import DueTasks, TaskStorage, TaskWork

BATCH = 100
"""Events per transaction."""


class _DuePublisher:
    """Publishes an event for each due task. Safe to run concurrently: a task is claimed in the transaction of its
    event."""

    def __init__(self, storage: TaskStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    def _run_once(
        self, due_tasks: Callable[[TaskWork], DueTasks], event_of: Callable[[Task, NewId, datetime], Event]
    ) -> bool:
        """Publish a batch; return whether there were any."""
        with self._storage.read() as work:
            if not due_tasks(work).any_due(self._clock()):
                return False
        with self._storage.write() as work:
            now = self._clock()
            tasks = due_tasks(work).claim(now, BATCH)
            for task in tasks:
                work.outbox.add(event_of(task, self._new_id, now))
        return bool(tasks)


class ReminderService(_DuePublisher):
    """Publishes due reminders."""

    def run_once(self) -> bool:
        """Publish a batch of due reminders; return whether there were any."""
        return self._run_once(lambda work: work.reminders, events.reminder_due)


class OverdueService(_DuePublisher):
    """Publishes due dates that have passed, each once."""

    def run_once(self) -> bool:
        """Publish a batch of overdue tasks; return whether there were any."""
        return self._run_once(lambda work: work.due_dates, events.overdue)
