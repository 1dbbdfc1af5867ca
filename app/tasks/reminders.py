"""Reminders and due dates: one event for each that is due."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from app.core.clock import Clock, NewId
from app.core.events.model import Event
from app.tasks import events
from app.tasks.model import Task
from app.tasks.ports import DueTasks, TaskStorage, TaskWork

BATCH = 100
"""Events per transaction."""


class DuePublisher(ABC):
    """Publishes an event for each due task. Safe to run concurrently: a task is claimed in the transaction of its
    event.

    Attributes:
        event_of: returns the event.
    """

    event_of: ClassVar[Callable[[Task, NewId, datetime], Event]]

    def __init__(self, storage: TaskStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    @staticmethod
    @abstractmethod
    def due_tasks(work: TaskWork) -> DueTasks:
        """Return the repository of the tasks."""

    def run_once(self) -> bool:
        """Publish a batch of events; return whether there were any."""
        with self._storage.read() as work:
            if not self.due_tasks(work).any_due(self._clock()):
                return False
        with self._storage.write() as work:
            now = self._clock()
            tasks = self.due_tasks(work).claim(now, BATCH)
            for task in tasks:
                work.outbox.add(self.event_of(task, self._new_id, now))
        return bool(tasks)


class ReminderService(DuePublisher):
    """Publishes due reminders."""

    event_of = staticmethod(events.reminder_due)

    @staticmethod
    def due_tasks(work: TaskWork) -> DueTasks:
        return work.reminders


class OverdueService(DuePublisher):
    """Publishes due dates that have passed, each once."""

    event_of = staticmethod(events.overdue)

    @staticmethod
    def due_tasks(work: TaskWork) -> DueTasks:
        return work.due_dates
