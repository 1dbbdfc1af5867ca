"""Relay: takes events off the outbox and hands them to the transport."""

from typing import Generic, TypeVar

from app.core.clock import Clock
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.events.model import Transport

BATCH = 100
"""Events that one transaction carries: on SQLite no other can write meanwhile."""


W = TypeVar("W", bound=UnitOfWork)


class Relay(Generic[W]):
    """Carries events on, the oldest first, each at least once: a relay that dies leaves its batch to the next one.

    Two of them share the work: what one has claimed the other passes over.
    """

    def __init__(self, storage: Storage[W], carrier: Transport[W], clock: Clock) -> None:
        self._storage = storage
        self._carrier = carrier
        self._clock = clock

    def run_once(self) -> bool:
        """Carry a batch; say whether there was one."""
        with self._storage.read() as work:
            if not work.outbox.any_waiting():
                return False
        with self._storage.write() as work:
            events = work.outbox.claim(BATCH)
            self._carrier.carry(work, events)
            work.outbox.carried([event.id for event in events], self._clock())
        return bool(events)
