"""Dead-letter queue of a service in RabbitMQ: messages that the service could not read, or that it died of."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, UUID, uuid5

from amqp import Message
from amqp.exceptions import NotFound

from app.core.events.messages import MalformedMessageError, decode
from app.core.events.rabbitmq import PERSISTENT, Broker, ConfirmedBatch
from app.core.events.topology import REVIVED, ServiceQueue
from app.core.jobs.model import DeadLetter

if TYPE_CHECKING:
    import amqp


class HeldMessages:
    """Messages of a dead-letter queue that nobody else gets meanwhile.

    Args:
        connection: of the messages' channel.
        messages: the messages.
        queue: the service's queue.

    Attributes:
        letters: what they are, in the same order.
    """

    def __init__(self, connection: "amqp.Connection", messages: list[Message], queue: ServiceQueue) -> None:
        self.letters = [_letter(message, queue.name) for message in messages]
        self._connection = connection
        self._messages = messages
        self._queue = queue

    def requeue(self, ids: Collection[UUID] | None) -> set[UUID]:
        """Give messages back to the service's queue, each at least once; return their ids.

        Args:
            ids: ids of dead letters; None for all.

        Raises:
            UnavailableError: the broker has not taken one of them.
        """
        pairs = zip(self.letters, self._messages, strict=True)
        chosen = [(letter, message) for letter, message in pairs if ids is None or letter.id in ids]
        batch = ConfirmedBatch(self._connection)
        for _, message in chosen:
            batch.publish(_copy(message), self._queue.dead_letters, REVIVED)
        batch.wait()
        for _, message in chosen:
            message.channel.basic_ack(message.delivery_tag)
        return {letter.id for letter, _ in chosen}


class DeadLetterQueue:
    """The dead letters of a service.

    Args:
        broker: the connection.
        queue: the service's queue.
    """

    def __init__(self, broker: Broker, queue: ServiceQueue) -> None:
        self._broker = broker
        self._queue = queue

    @property
    def kind(self) -> str:
        """Kind of the dead letters: the name of the service's queue."""
        return self._queue.name

    @contextmanager
    def held(self, limit: int) -> Iterator[HeldMessages]:
        """Yield up to `limit` dead letters; those that are not requeued go back to the queue at the end of the block.

        Raises:
            UnavailableError: the broker is unavailable, or refuses the user.
        """
        with self._broker.connected() as connection:
            channel = connection.channel()
            messages: list[Message] = []
            try:
                while len(messages) < limit and (message := channel.basic_get(self._queue.dead_letters)):
                    messages.append(message)
            except NotFound:
                pass  # the service has never run with this broker
            yield HeldMessages(connection, messages, self._queue)
            if channel.is_open:
                channel.close()


def _letter(message: Message, kind: str) -> DeadLetter:
    headers = message.headers or {}
    # The latest first. Times are without a zone, in UTC.
    death: dict[str, Any] = next(iter(headers.get("x-death", ())), {})
    died_at = death.get("time")
    at = died_at.replace(tzinfo=UTC) if isinstance(died_at, datetime) else datetime.fromtimestamp(0, UTC)
    return DeadLetter("message", _id(message), kind, int(death.get("count", 1)), at, _error(message, death))


def _id(message: Message) -> UUID:
    """Return the id of the message's event, or one made from its contents."""
    try:
        return decode(message.body).id
    except MalformedMessageError:
        content = message.body if isinstance(message.body, str) else message.body.hex()
        return uuid5(NAMESPACE_OID, f"{message.properties.get('message_id')} {content}")


def _error(message: Message, death: dict[str, Any]) -> str:
    if death.get("reason") != "rejected":
        return str(death.get("reason", "unknown"))
    try:
        return f"no consumer of {decode(message.body).name}"
    except MalformedMessageError as error:
        return str(error)


def _copy(message: Message) -> Message:
    """Return the message without what the broker has noted of its death."""
    headers = {name: value for name, value in (message.headers or {}).items() if name == "traceparent"}
    known = ("content_type", "content_encoding", "message_id", "type", "timestamp")
    properties = {name: message.properties[name] for name in known if name in message.properties}
    body = message.body
    return Message(body, application_headers=headers, delivery_mode=PERSISTENT, **properties)
