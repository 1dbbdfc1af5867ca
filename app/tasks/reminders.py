"""Reminders and due dates: one event for each that is due."""

from abc import ABC, abstractmethod
from datetime import datetime

from app.core.clock import Clock, NewId
from app.core.events.model import Event
from app.tasks import events
from app.tasks.model import Task
from app.tasks.ports import DueTasks, TaskStorage, TaskWork

BATCH = 100
"""Events per transaction."""


class DuePublisher(ABC):
    """Publishes an event for each due task. Safe to run concurrently: a task is claimed in the transaction of its
    event."""

    def __init__(self, storage: TaskStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    def run_once(self) -> bool:
        """Publish a batch of events; return whether there were any."""
        with self._storage.read() as work:
            if not self._due_tasks(work).any_due(self._clock()):
                return False
        with self._storage.write() as work:
            now = self._clock()
            tasks = self._due_tasks(work).claim(now, BATCH)
            for task in tasks:
                work.outbox.add(self._event_of(task, now))
        return bool(tasks)

    @abstractmethod
    def _due_tasks(self, work: TaskWork) -> DueTasks: ...

    @abstractmethod
    def _event_of(self, task: Task, now: datetime) -> Event: ...


class ReminderService(DuePublisher):
    """Publishes due reminders."""

    def _due_tasks(self, work: TaskWork) -> DueTasks:
        return work.reminders

    def _event_of(self, task: Task, now: datetime) -> Event:
        return events.reminder_due(task, self._new_id, now)


class OverdueService(DuePublisher):
    """Publishes due dates that have passed, each once."""

    def _due_tasks(self, work: TaskWork) -> DueTasks:
        return work.due_dates

    def _event_of(self, task: Task, now: datetime) -> Event:
        return events.overdue(task, self._new_id, now)
