"""Consumer of a service's queue in RabbitMQ."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from app.core.events.messages import MalformedMessageError, decode
from app.core.events.model import Event
from app.core.events.rabbitmq import Broker, message_of
from app.core.events.topology import EVENTS, ServiceQueue, declare
from app.core.observability.span_context import trace_id

if TYPE_CHECKING:
    import amqp

PREFETCH = 100
"""Messages that the broker hands out before the first of them is acknowledged; handled in one transaction."""

HEARTBEAT = 30
"""Seconds between heartbeats: a connection that is lost without a word is noticed after twice that."""

WAIT = 1
"""Seconds to wait for a message. So long may the end of the process have to wait, too."""

log = structlog.get_logger(__name__)


class QueueConsumer:
    """Takes events from a service's queue, and acknowledges them once they are handled, or recorded as failed.

    When the database is unavailable, the events taken are kept and delivered later: to give them back would count as
    a failed delivery of each. After a lost connection the broker delivers them again, and the inbox detects it.

    Args:
        broker: a connection of its own.
        queue: the queue, declared when it is first used.
        deliver: returns once the events' effects are committed.
        request: makes an event to publish with each new connection, once the queue gets what answers it.
    """

    def __init__(
        self,
        broker: Broker,
        queue: ServiceQueue,
        deliver: Callable[[Sequence[Event]], None],
        request: Callable[[], Event] | None = None,
    ) -> None:
        self._broker = broker
        self._queue = queue
        self._deliver = deliver
        self._request = request
        self._channel: amqp.Channel | None = None
        self._last_tag = 0
        self._events: list[Event] = []

    def run_once(self) -> bool:
        """Wait a second for messages and handle those that are there; return whether there were any.

        Raises:
            UnavailableError: broker or database are unavailable.
        """
        with self._broker.connected() as connection:
            channel = self._channel
            if channel is None or channel.connection is not connection:
                channel = self._subscribe(connection)
            self._receive(connection)
        if not self._events:
            return False
        self._deliver(self._events)
        with self._broker.connected():
            channel.basic_ack(self._last_tag, multiple=True)
        self._events.clear()
        return True

    def listen(self) -> bool:
        """Do as `run_once`, and return True: it has waited for messages itself, and a pause would only delay them."""
        self.run_once()
        return True

    def close(self) -> None:
        """Close the connection; the broker delivers to others what was not acknowledged."""
        self._events.clear()
        self._broker.close()

    def _subscribe(self, connection: "amqp.Connection") -> "amqp.Channel":
        self._events.clear()
        declare(connection, [self._queue])
        self._channel = channel = connection.channel()
        if self._request is not None:
            # Not by the outbox: without a queue for it, it would hold up the events behind it.
            request = self._request()
            channel.basic_publish(message_of(request), EVENTS, request.name)
        channel.basic_qos(0, PREFETCH, False)
        channel.basic_consume(self._queue.name, callback=self._take)
        return channel

    def _receive(self, connection: "amqp.Connection") -> None:
        """Read messages until none is left, or enough are there."""
        timeout = 0 if self._events else WAIT
        try:
            for _ in range(PREFETCH):
                connection.drain_events(timeout=timeout)
                timeout = 0
        except TimeoutError:
            pass
        connection.heartbeat_tick()

    def _take(self, message: "amqp.Message") -> None:
        try:
            event = self._read(message)
        except MalformedMessageError as error:
            sent = (message.headers or {}).get("traceparent")
            traced = {"trace_id": trace_id(sent)} if isinstance(sent, str) else {}
            log.error("message dead-lettered", queue=self._queue.name, reason=str(error), **traced)  # noqa: TRY400
            message.channel.basic_reject(message.delivery_tag, requeue=False)
        else:
            self._last_tag = message.delivery_tag or 0
            self._events.append(event)

    def _read(self, message: "amqp.Message") -> Event:
        event = decode(message.body, (message.headers or {}).get("traceparent"))
        if event.name not in self._queue.events:
            raise MalformedMessageError("name: no consumer of this release subscribes to it")
        return event
