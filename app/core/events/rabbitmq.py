"""Transport of events over RabbitMQ, and the connection to it."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from ssl import CERT_REQUIRED
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit, urlunsplit

from amqp import Message
from amqp.exceptions import AMQPError
from kombu import Connection
from kombu.exceptions import OperationalError

from app.core.errors import UnavailableError
from app.core.events.messages import encode
from app.core.events.model import SESSION_ENDED, USER_DELETED, Event, span_attributes
from app.core.events.topology import EVENTS, ServiceQueue, declare
from app.core.observability.span_context import NO_SPANS, Spans
from app.core.settings import Settings

if TYPE_CHECKING:
    import amqp

TIMEOUT = 10
"""Seconds to wait for a connection, and for an answer: a frozen broker would block its clients for ever."""

ERRORS = (AMQPError, OperationalError, OSError)

PERSISTENT = 2

URGENT = frozenset({SESSION_ENDED, USER_DELETED})
"""Events that end access: a backlog of others must not hold them up."""

HIGH, NORMAL = 5, 4
"""Priorities. A quorum queue knows two, 0 to 4 and above, and hands out two urgent messages for each other one
(RabbitMQ's blog, "RabbitMQ 4.0: New Quorum Queue Features", 2024-08-28)."""


class Broker:
    """A connection to RabbitMQ for one thread, opened when it is first used, and again after an error.

    Args:
        settings: with the broker's address.
        heartbeat: seconds between heartbeats, for a user who reads all the time; after two missed ones the connection
            counts as lost. 0: none.
    """

    def __init__(self, settings: Settings, heartbeat: int = 0) -> None:
        url = broker_url(settings)
        self._connection = Connection(
            url, ssl=tls_options(url, settings.events_ca_file) or False, connect_timeout=TIMEOUT, heartbeat=heartbeat
        )

    @contextmanager
    def connected(self) -> Iterator["amqp.Connection"]:
        """Yield the connection. An error of the broker closes it.

        Raises:
            UnavailableError: the broker is unavailable, or has refused something.
        """
        try:
            if not self._connection.connected:
                self._connect()
            yield self._connection.connection
        except ERRORS as error:
            self.drop()
            raise UnavailableError(f"RabbitMQ: {_reason(error)}") from error
        except UnavailableError:
            raise
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Close the connection without a word to the broker, which redelivers what was not acknowledged."""
        self._connection.collect()

    def close(self) -> None:
        """Close the connection."""
        self._connection.release()

    def _connect(self) -> None:
        # By turns with the loop that calls it, which ends between them.
        self._connection.ensure_connection(max_retries=3, interval_start=0, interval_step=1, interval_max=2)
        self._connection.connection.transport.sock.settimeout(TIMEOUT)


def broker_url(settings: Settings, vhost: str | None = None) -> str:
    """Return the URL of the settings, or one made from its parts.

    Args:
        vhost: virtual host, in place of that of events.
    """
    url = _url_of_events(settings)
    return url if vhost is None else urlunsplit(urlsplit(url)._replace(path=f"/{quote(vhost, safe='')}"))


def _url_of_events(settings: Settings) -> str:
    if settings.events_url is not None:
        return settings.events_url.get_secret_value()
    login = ""
    if settings.events_user is not None and settings.events_password is not None:
        login = f"{quote(settings.events_user, safe='')}:{quote(settings.events_password.get_secret_value(), safe='')}@"
    scheme = "amqps" if settings.events_ca_file else "amqp"
    return f"{scheme}://{login}{settings.events_host}:{settings.events_port}//"


def tls_options(url: str, ca_file: Path | None) -> dict[str, Any] | None:
    """Return py-amqp's options to verify the server of an `amqps` URL; None for a URL without TLS."""
    if not url.startswith("amqps:"):
        return None
    authority = {"ca_certs": str(ca_file)} if ca_file else {}
    return {"cert_reqs": CERT_REQUIRED, "server_hostname": urlsplit(url).hostname, **authority}


class RabbitTransport:
    """Publishes events to a topic exchange, with the event's name as routing key, and waits until all are confirmed.

    Args:
        broker: a connection of its own.
        queues: queues of the services that this process runs, declared before anything is published: an event is not
            kept for a queue that does not exist yet.
        spans: records a span for each message.
    """

    def __init__(self, broker: Broker, queues: Collection[ServiceQueue], spans: Spans = NO_SPANS) -> None:
        self._broker = broker
        self._queues = queues
        self._spans = spans
        self._declared: amqp.Connection | None = None

    def publish(self, events: Sequence[Event]) -> None:
        """Publish events in order.

        Raises:
            UnavailableError: the broker is unavailable; it has refused one of them; or there is no queue for one. Then
                all of them stay in the outbox.
        """
        with self._broker.connected() as connection:
            if connection is not self._declared:
                declare(connection, self._queues)
                self._declared = connection
            batch = ConfirmedBatch(connection)
            with ExitStack() as confirmed:
                for event in events:
                    traceparent = confirmed.enter_context(self._span(event))
                    batch.publish(message_of(replace(event, traceparent=traceparent)), EVENTS, event.name)
                batch.wait()

    def close(self) -> None:
        self._broker.close()

    def _span(self, event: Event) -> AbstractContextManager[str | None]:
        destination = f"{EVENTS}:{event.name}"
        attributes = span_attributes("send", event, destination)
        return self._spans.send(f"send {destination}", event.traceparent, **attributes)


class ConfirmedBatch:
    """Messages published together on a channel of their own, and confirmed together: one by one, each would wait for
    the disks of the queue's nodes."""

    def __init__(self, connection: "amqp.Connection") -> None:
        self._connection = connection
        self._channel = cast("Any", connection.channel())  # its types do not have `events`
        self._channel.confirm_select()
        self._number = 0
        self._waiting: set[int] = set()
        self._refused: set[str] = set()
        self._channel.events["basic_ack"].add(self._acked)
        self._channel.events["basic_nack"].add(self._nacked)
        self._channel.events["basic_return"].add(self._returned)

    def publish(self, message: Message, exchange: str, key: str) -> None:
        self._number += 1
        self._waiting.add(self._number)
        self._channel.basic_publish(message, exchange, key, mandatory=True, timeout=TIMEOUT)

    def wait(self) -> None:
        """Wait until all messages are confirmed.

        Raises:
            UnavailableError: one was refused, or reached no queue.
            TimeoutError: the broker does not answer.
        """
        while self._waiting:
            self._connection.drain_events(timeout=TIMEOUT)
        self._channel.close()
        if self._refused:
            raise UnavailableError(f"RabbitMQ has not taken {', '.join(sorted(self._refused))}")

    def _acked(self, tag: int, multiple: bool) -> None:
        self._waiting -= {each for each in self._waiting if each <= tag} if multiple else {tag}

    def _nacked(self, tag: int, multiple: bool) -> None:
        self._refused.add("a message (it was refused)")
        self._acked(tag, multiple)

    def _returned(self, _error: Exception, _exchange: str, key: str, _message: Message) -> None:
        self._refused.add(f"{key} (there is no queue for it)")


def message_of(event: Event) -> Message:
    """Return the message of an event."""
    return Message(
        encode(event),
        content_type="application/json",
        delivery_mode=PERSISTENT,
        message_id=str(event.id),
        type=event.name,
        priority=HIGH if event.name in URGENT else NORMAL,
        timestamp=int(event.at.timestamp()),
        application_headers={"traceparent": event.traceparent} if event.traceparent else {},
    )


def _reason(error: BaseException) -> str:
    """Return what went wrong, without the address or a value."""
    cause = error.__cause__ if isinstance(error, OperationalError) and error.__cause__ else error
    return type(cause).__name__
