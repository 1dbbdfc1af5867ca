"""Snapshot job: publishes the preferences of all users, for a new consumer."""

from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.jobs.model import Job, Step
from app.notifications.events import preferences_changed
from app.notifications.unit_of_work import NotificationUnitOfWork

BATCH = 500
"""Users per step."""


class SnapshotPreferences:
    """Adds each user's preferences to the outbox, a batch per step."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: NotificationUnitOfWork, job: Job) -> Step:
        after = UUID(str(job.checkpoint["user"])) if job.checkpoint else None
        found = work.preferences.all_after(after, BATCH)
        now = self._clock()
        work.outbox.add_many([preferences_changed(user_id, chosen, self._new_id, now) for user_id, chosen in found])
        done = job.done + len(found)
        if len(found) < BATCH:
            return Step(finished=True, checkpoint=job.checkpoint, done=done, total=done)
        return Step(finished=False, checkpoint={"user": str(found[-1][0])}, done=done)
