"""Erasure of a deleted user's data, by event and in the background."""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.database.unit_of_work import UnitOfWork
from app.core.events.model import USER_DELETED, Event
from app.core.jobs.model import Job, Step

FORMER_KIND = "erasure"
"""Kind of the jobs that the former release queues, for all services."""

BATCH = 500
"""Rows of a step: on SQLite no other can write meanwhile."""

W = TypeVar("W", bound=UnitOfWork)


def kind_of(service: str) -> str:
    """Return the kind of the jobs that delete a service's rows of a user."""
    return f"erasure.{service}"


Eraser = Callable[[W, UUID, datetime, int], int]
"""Deletes up to so many rows of a user at a time, and returns how many it were: 0 when nothing is left."""


class EraseOnDeletion:
    """The consumer by which a service hears of a deleted account: it remembers that, and queues the deletion."""

    events = frozenset({USER_DELETED})

    def __init__(self, service: str, clock: Clock, new_id: NewId) -> None:
        self.name = f"{service}.erasure"
        self._service = service
        self._clock = clock
        self._new_id = new_id

    def handle(self, work: UnitOfWork, event: Event) -> None:
        if event.user_id is None:
            raise ValueError(f"{event.name} is about nobody")
        work.deleted_users.add(event.user_id, event.at)
        parameters: dict[str, object] = {"user": str(event.user_id)}
        work.jobs.add(Job(self._new_id(), None, kind_of(self._service), self._clock(), parameters=parameters))


class EraseUser(Generic[W]):
    """Deletes what a service has of a user, a batch a step, so that a worker that dies leaves the rest to the next."""

    def __init__(self, erase: Eraser[W], clock: Clock) -> None:
        self._erase = erase
        self._clock = clock

    def step(self, work: W, job: Job) -> Step:
        count = self._erase(work, UUID(str(job.parameters["user"])), self._clock(), BATCH)
        done = job.done + count
        return Step(finished=count == 0, done=done, total=done if count == 0 else None)


class RequeueErasure:
    """Queues the job of the service that a job of the former release names."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: UnitOfWork, job: Job) -> Step:
        kind = kind_of(str(job.parameters["service"]))
        work.jobs.add(Job(self._new_id(), None, kind, self._clock(), parameters=job.parameters))
        return Step(finished=True, done=1, total=1)


def erase_jobs(work: UnitOfWork, user_id: UUID, _now: datetime, limit: int) -> int:
    """Delete up to `limit` rows of a user's jobs, at last what the other parts of the core have; return how many."""
    return (
        work.jobs.delete_of(user_id, limit)
        or work.jobs.delete_about("report", "user", user_id) + work.jobs.delete_about("report-mail", "user_id", user_id)
        or work.idempotency_keys.delete_of(user_id, limit)
        or work.inbox.delete_of(user_id) + work.versions.delete(user_id)
    )
