"""Deletion of a user's data: each service hears of the deleted account, and deletes its own rows in the background."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from app.jobs.model import Job, Step
from app.platform.clock import Clock, NewId
from app.platform.events import USER_DELETED, Event
from app.services.auth.events import deleted
from app.storage.work import SqlWork

KIND = "erasure"

BATCH = 500
"""Rows of a step: on SQLite no other can write meanwhile."""

REPEATED = timedelta(days=3)
"""For how many nights a deletion is told again."""

Eraser = Callable[[SqlWork, UUID, datetime, int], int]
"""Deletes up to so many rows of a user at a time, and returns how many it were: 0 when nothing is left."""


class EraseOnDeletion:
    """The consumer by which a service hears of a deleted account: it remembers that, and queues the deletion."""

    events = frozenset({USER_DELETED})

    def __init__(self, service: str, clock: Clock, new_id: NewId) -> None:
        self.name = f"{service}.erasure"
        self._service = service
        self._clock = clock
        self._new_id = new_id

    def handle(self, work: SqlWork, event: Event) -> None:
        if event.user_id is None:
            raise ValueError(f"{event.name} is about nobody")
        work.deleted_users.add(event.user_id, event.at)
        parameters: dict[str, object] = {"service": self._service, "user": str(event.user_id)}
        work.jobs.add(Job(self._new_id(), None, KIND, self._clock(), parameters=parameters))


class EraseUser:
    """Deletes what one service has of a user, a batch a step, so that a worker that dies leaves the rest to the next.

    Args:
        erasers: by service.
    """

    def __init__(self, erasers: Mapping[str, Eraser], clock: Clock) -> None:
        self._erasers = erasers
        self._clock = clock

    def step(self, work: SqlWork, job: Job) -> Step:
        erase = self._erasers[str(job.parameters["service"])]
        count = erase(work, UUID(str(job.parameters["user"])), self._clock(), BATCH)
        done = job.done + count
        return Step(finished=count == 0, done=done, total=done if count == 0 else None)


class RepeatDeletions:
    """Tells of recent deletions again, at night.

    So a service also deletes what a request or a job wrote that had begun before, and one hears of a deletion whose
    event a process of the release before has published, which had no consumer for it.
    """

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: SqlWork, job: Job) -> Step:
        after = UUID(str(job.checkpoint["user"])) if job.checkpoint else None
        users = work.deleted_users.since(self._clock() - REPEATED, after, BATCH)
        work.outbox.add_many([deleted(user_id, self._new_id, at) for user_id, at in users])
        done = job.done + len(users)
        if len(users) < BATCH:
            return Step(finished=True, checkpoint=job.checkpoint, done=done, total=done)
        return Step(finished=False, checkpoint={"user": str(users[-1][0])}, done=done)


def erase_jobs(work: SqlWork, user_id: UUID, _now: datetime, limit: int) -> int:
    """Delete up to `limit` rows of a user's jobs, at last what the other parts of the core have; return how many."""
    return (
        work.jobs.delete_of(user_id, limit)
        or work.jobs.delete_about("report", "user", user_id) + work.jobs.delete_about("report-mail", "user_id", user_id)
        or work.idempotency_keys.delete_of(user_id, limit)
        or work.inbox.forget(user_id) + work.versions.forget(user_id)
    )
