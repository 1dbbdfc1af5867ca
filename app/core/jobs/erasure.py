"""Erasure of a deleted user's data: an event queues a background job in each service."""

from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType
from typing import Generic
from uuid import UUID

from typing_extensions import TypedDict

from app.core.clock import Clock, NewId
from app.core.database.unit_of_work import UnitOfWork, W
from app.core.events.model import USER_DELETED, Event
from app.core.jobs.model import Job, Step

FORMER_KIND = "erasure"
"""Kind of the erasure jobs that the former release queues, one for each service."""

BATCH = 500
"""Rows that one step deletes: on SQLite no other transaction can write meanwhile."""


def kind_of(service: str) -> str:
    """Return the kind of a service's erasure jobs."""
    return f"erasure.{service}"


Eraser = Callable[[W, UUID, datetime, int], int]
"""Deletes up to a number of a user's rows; returns the number deleted, 0 when nothing is left."""


class DeletedUser(TypedDict):
    pass


class EraseOnDeletion:
    """Consumer of `user.deleted`: records the deleted user in the service, and queues an erasure job."""

    reads = MappingProxyType({USER_DELETED: DeletedUser})
    events = reads.keys()

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
    """Erasure job handler: deletes a user's rows in a service, one batch in each step.

    A worker that dies leaves the rest to the next one.
    """

    def __init__(self, erase: Eraser[W], clock: Clock) -> None:
        self._erase = erase
        self._clock = clock

    def step(self, work: W, job: Job) -> Step:
        count = self._erase(work, UUID(str(job.parameters["user"])), self._clock(), BATCH)
        done = job.done + count
        return Step(finished=count == 0, done=done, total=done if count == 0 else None)


class RequeueErasure:
    """Job handler of the former release's kind: queues the erasure job of the service that the job names."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: UnitOfWork, job: Job) -> Step:
        kind = kind_of(str(job.parameters["service"]))
        work.jobs.add(Job(self._new_id(), None, kind, self._clock(), parameters=job.parameters))
        return Step(finished=True, done=1, total=1)


def erase_jobs(work: UnitOfWork, user_id: UUID, _now: datetime, limit: int) -> int:
    """Delete up to `limit` rows of a user in the core's tables, jobs first; return the number deleted."""
    return (
        work.jobs.delete_of(user_id, limit)
        or work.jobs.delete_about("report", "user", user_id)
        + sum(work.jobs.delete_about(kind, "user_id", user_id) for kind in ("report-mail", "phone-code"))
        or work.idempotency_keys.delete_of(user_id, limit)
        or work.inbox.delete_of(user_id) + work.versions.delete(user_id)
    )
