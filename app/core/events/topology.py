"""Exchanges and queues of events in RabbitMQ: the one place where they are named and declared.

task-manager.events                   topic exchange: every event, by its name
task-manager.SERVICE                  queue: the events that consumers of the service subscribe to
task-manager.SERVICE.dead-letters     direct exchange and queue: messages that the service could not read
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amqp.exceptions import NotFound

if TYPE_CHECKING:
    from amqp import Channel, Connection

EVENTS = "task-manager.events"

DELIVERY_LIMIT = 100
"""Deliveries of a message before it is dead-lettered. Only a consumer that dies, or loses its connection, uses one up:
then the next one gets what it had been given, a hundred messages at once, of which none may be at fault."""

DEAD, REVIVED = "dead", "revived"
"""Routing keys of the dead-letter exchange: to the dead-letter queue, and back to the service's."""


@dataclass(frozen=True)
class ServiceQueue:
    """The queue of a service, and its dead letters.

    Args:
        service: name of the service.
        events: names of the events that are routed to the queue.
    """

    service: str
    events: Collection[str] = ()

    @property
    def name(self) -> str:
        return f"task-manager.{self.service}"

    @property
    def dead_letters(self) -> str:
        """Name of the dead-letter exchange and of the dead-letter queue."""
        return f"{self.name}.dead-letters"

    def declare(self, channel: "Channel") -> None:
        """Declare the queues and their bindings. Idempotent.

        Bindings to events that the service no longer subscribes to remain: their removal is not for a release that may
        be rolled back.
        """
        channel.exchange_declare(self.dead_letters, "direct", durable=True, auto_delete=False)
        self._declare(channel, self.dead_letters, {"x-delivery-limit": -1})  # each look at it is a delivery
        arguments = {
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": self.dead_letters,
            "x-dead-letter-routing-key": DEAD,
            # A message leaves the queue once the dead-letter queue has it; this needs the overflow beside it.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        self._declare(channel, self.name, arguments)
        channel.queue_bind(self.dead_letters, self.dead_letters, DEAD)
        channel.queue_bind(self.name, self.dead_letters, REVIVED)
        for event in sorted(self.events):
            channel.queue_bind(self.name, EVENTS, event)

    @staticmethod
    def _declare(channel: "Channel", name: str, arguments: dict[str, object]) -> None:
        arguments = {"x-queue-type": "quorum", **arguments}
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)


def declare(connection: "Connection", queues: Collection[ServiceQueue]) -> None:
    """Declare the exchange of all events if it is missing, and the queues of services.

    The users of services may be forbidden to declare what belongs to all of them: where the exchange exists, nothing
    but its existence is asked for.
    """
    channel = connection.channel()
    try:
        channel.exchange_declare(EVENTS, "topic", passive=True)
    except NotFound:  # which has closed the channel
        channel = connection.channel()
        channel.exchange_declare(EVENTS, "topic", durable=True, auto_delete=False)
    for queue in queues:
        queue.declare(channel)
    channel.close()
