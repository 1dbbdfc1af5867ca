"""Reminders: one event for each time that a user has set."""

from app.core.clock import Clock, NewId
from app.tasks import events
from app.tasks.ports import TaskStorage

BATCH = 100
"""Reminders of one transaction."""


class ReminderService:
    """Several may run: a task is claimed in the transaction of its event, so one of them tells of it."""

    def __init__(self, storage: TaskStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    def run_once(self) -> bool:
        """Tell of the tasks whose time has come; say whether there were any."""
        with self._storage.read() as work:
            if not work.reminders.any_due(self._clock()):
                return False
        with self._storage.write() as work:
            now = self._clock()
            tasks = work.reminders.claim(now, BATCH)
            for task in tasks:
                work.outbox.add(events.reminder_due(task, self._new_id, now))
        return bool(tasks)
