"""Job that republishes recent account deletions."""

from datetime import timedelta
from uuid import UUID

from app.auth.events import deleted
from app.auth.unit_of_work import AuthUnitOfWork
from app.core.clock import Clock, NewId
from app.core.jobs.model import Job, Step

BATCH = 500
"""Deletions per step."""

REPEATED = timedelta(days=3)
"""Age up to which a deletion is republished, each night."""


class RepeatDeletions:
    """Republishes `user.deleted` for recent deletions.

    So services also delete rows written by a request or a job that was under way at the deletion, and a service gets
    deletions that the previous release published without a consumer for it.

    Args:
        age: of the deletions, at most.
    """

    def __init__(self, clock: Clock, new_id: NewId, age: timedelta = REPEATED) -> None:
        self._age = age
        self._clock = clock
        self._new_id = new_id

    def step(self, work: AuthUnitOfWork, job: Job) -> Step:
        after = UUID(str(job.checkpoint["user"])) if job.checkpoint else None
        users = work.deleted_users.since(self._clock() - self._age, after, BATCH)
        work.outbox.add_many([deleted(user_id, self._new_id, at) for user_id, at in users])
        done = job.done + len(users)
        if len(users) < BATCH:
            return Step(finished=True, checkpoint=job.checkpoint, done=done, total=done)
        return Step(finished=False, checkpoint={"user": str(users[-1][0])}, done=done)
