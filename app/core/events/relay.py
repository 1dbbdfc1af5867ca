"""Relay: publishes the events of the outbox."""

from app.core.clock import Clock
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.events.model import Transport

BATCH = 100
"""Events that are published together: on SQLite no other transaction can write while a service handles them."""


class Relay:
    """Publishes the outbox's events, the oldest first, each at least once.

    A batch is read, published and marked as published without a transaction around it: after a crash it is published
    again, and concurrent relays may publish the same event. The inboxes deduplicate.
    """

    def __init__(self, storage: Storage[UnitOfWork], transport: Transport, clock: Clock) -> None:
        self._storage = storage
        self._transport = transport
        self._clock = clock

    def run_once(self) -> bool:
        """Publish a batch; return whether there was one."""
        with self._storage.read() as work:
            events = work.outbox.waiting(BATCH)
        if not events:
            return False
        self._transport.publish(events)
        with self._storage.write() as work:
            work.outbox.mark_published([event.id for event in events], self._clock())
        return True
