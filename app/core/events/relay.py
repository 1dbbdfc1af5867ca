"""Relay: publishes the events of the outbox."""

from app.core.clock import Clock
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.events.model import Transport

BATCH = 100
"""Events that are published together: on SQLite no other can write while a service handles them."""


class Relay:
    """Publishes events, the oldest first, each at least once: a relay that dies leaves its batch to the next one.

    No transaction is open while events are published. Two relays may publish the same event; inboxes know it.
    """

    def __init__(self, storage: Storage[UnitOfWork], transport: Transport, clock: Clock) -> None:
        self._storage = storage
        self._transport = transport
        self._clock = clock

    def run_once(self) -> bool:
        """Publish a batch; say whether there was one."""
        with self._storage.read() as work:
            events = work.outbox.waiting(BATCH)
        if not events:
            return False
        self._transport.publish(events)
        with self._storage.write() as work:
            work.outbox.mark_published([event.id for event in events], self._clock())
        return True
