"""Relay: publishes the events of the outbox."""

from collections.abc import Callable

from app.core.clock import Clock
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import MovedError
from app.core.events.model import Transport

BATCH = 100
"""Events that are published together: on SQLite no other transaction can write while a service handles them."""


class Relay:
    """Publishes the outbox's events, the oldest first, each at least once.

    A batch is read, published and marked as published without a transaction around it: after a crash it is published
    again, and concurrent relays may publish the same event. The inboxes deduplicate.

    Args:
        storage, transport, clock: the outbox's database, what it publishes by, and the time.
        whole: whether the database has the data of all services. Without a broker the consumers of one that has moved
            would miss the event, so events wait until the service that publishes them has moved, too.
    """

    def __init__(
        self,
        storage: Storage[UnitOfWork],
        transport: Transport,
        clock: Clock,
        whole: Callable[[], bool] = lambda: True,
    ) -> None:
        self._storage = storage
        self._transport = transport
        self._clock = clock
        self._whole = whole

    def run_once(self) -> bool:
        """Publish a batch; return whether there was one."""
        with self._storage.read() as work:
            events = work.outbox.waiting(BATCH)
        if not events:
            return False
        if not self._whole():  # asked after the events were read: later ones are none of these
            raise MovedError("A service has moved: its events are published from its own database.")
        self._transport.publish(events)
        with self._storage.write() as work:
            work.outbox.mark_published([event.id for event in events], self._clock())
        return True
