"""Event consumers of the auth service."""

from types import MappingProxyType

from typing_extensions import TypedDict

from app.core.clock import Clock, NewId
from app.core.database.unit_of_work import UnitOfWork
from app.core.events.model import ENDS_REQUESTED, Event
from app.core.jobs.model import Job

ENDED_SESSIONS, RECENT_DELETIONS = "ended-sessions", "recent-deletions"
"""Kinds of the jobs that publish them again."""


class Request(TypedDict):
    pass


class EndsRequestedConsumer:
    """Queues the jobs that publish again what has ended access tokens which would be valid otherwise."""

    name = "auth.ends_requested"
    reads = MappingProxyType({ENDS_REQUESTED: Request})
    events = reads.keys()

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def handle(self, work: UnitOfWork, _event: Event) -> None:
        for kind in (ENDED_SESSIONS, RECENT_DELETIONS):
            work.jobs.add(Job(self._new_id(), None, kind, self._clock()))
