"""Reminders: one event for each reminder that is due."""

from app.core.clock import Clock, NewId
from app.tasks import events
from app.tasks.ports import TaskStorage

BATCH = 100
"""Reminders per transaction."""


class ReminderService:
    """Publishes due reminders. Safe to run concurrently: a task is claimed in the transaction of its event."""

    def __init__(self, storage: TaskStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    def run_once(self) -> bool:
        """Publish a batch of due reminders; return whether there were any."""
        with self._storage.read() as work:
            if not work.reminders.any_due(self._clock()):
                return False
        with self._storage.write() as work:
            now = self._clock()
            tasks = work.reminders.claim(now, BATCH)
            for task in tasks:
                work.outbox.add(events.reminder_due(task, self._new_id, now))
        return bool(tasks)
