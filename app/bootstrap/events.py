"""Wiring of events: dispatchers of the services of a process, and the loops that bring events to them."""

from collections.abc import Callable, Iterator, Mapping

from app.bootstrap.services import SESSIONS, complete
from app.core.clock import new_id, utc_now
from app.core.database.engine import Database
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.events.relay import Relay
from app.core.events.transport import InProcessTransport
from app.core.jobs.polling_loop import PollingLoop
from app.core.observability.span_context import Spans
from app.core.sessions.events import ends_requested
from app.core.settings import Settings


def event_loops(
    settings: Settings,
    database: Database,
    storage: Storage[UnitOfWork],
    local: InProcessTransport,
    services: Mapping[str, InProcessTransport],
    spans: Spans,
) -> Iterator[PollingLoop]:
    """Yield the loops that publish the outbox's events, and that consume them where a broker is between.

    Args:
        database: the outbox's database.
        storage: opens its transactions.
        local: dispatchers of this process.
        services: dispatchers of each of its services, by name.
        spans: records spans of messages.
    """
    if settings.events_by_broker:
        yield from _broker_loops(settings, database, storage, services, spans)
    elif complete(services):
        relay = Relay(storage, local, utc_now, database.shared_by_all)
        yield PollingLoop("relay", relay.run_once, settings.job_poll)


def _broker_loops(
    settings: Settings,
    database: Database,
    storage: Storage[UnitOfWork],
    services: Mapping[str, InProcessTransport],
    spans: Spans,
) -> Iterator[PollingLoop]:
    from app.core.events.queue_consumer import HEARTBEAT, QueueConsumer
    from app.core.events.rabbitmq import Broker, RabbitTransport
    from app.core.events.topology import ServiceQueue

    queues = {name: ServiceQueue(name, local.subscribed) for name, local in services.items()}
    transport = RabbitTransport(Broker(settings), queues.values(), spans)
    relay = _when_complete(database, Relay(storage, transport, utc_now).run_once)
    yield PollingLoop("relay", relay, settings.events_poll, transport.close)
    for name, queue in queues.items():
        # What a new queue, a lost broker or a restored database lacks.
        request = None if SESSIONS in services else lambda: ends_requested(new_id, utc_now())
        consumer = QueueConsumer(Broker(settings, HEARTBEAT), queue, services[name].publish, request)
        yield PollingLoop(
            f"events of {name}", _when_complete(database, consumer.listen), settings.job_poll, consumer.close
        )


def _when_complete(database: Database, action: Callable[[], bool]) -> Callable[[], bool]:
    """Leave events to the former release for as long as the database waits for its data."""
    completion = database.copy_completion
    return action if completion is None else lambda: completion.complete() and action()
