"""Events, and the ports to publish and consume them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from app.core.observability.span_context import current

USER_DELETED = "user.deleted"
"""Event of a deleted account: every service erases its rows of the user."""

SESSION_ENDED = "session.ended"
"""Event of an ended session: every service refuses its access tokens."""

EXPORT_REQUESTED = "user.export_requested"
"""Event of a user who wants a copy of their data: every service makes its part."""

ENDS_REQUESTED = "ended_sessions.requested"
"""Event of a service that may have missed ends of sessions: auth publishes the recent ones again."""

ABOUT_NOBODY = frozenset({ENDS_REQUESTED})
"""Events without a user."""

Work_contra = TypeVar("Work_contra", contravariant=True)
"""Unit of work of a service."""


@dataclass(frozen=True)
class Event:
    """A domain event.

    Args:
        id: identifies the event across deliveries; UUIDv7, so that events sort by creation.
        name: `service.what_happened`, such as `task.created`.
        user_id: user whose data the event concerns, if any.
        payload: JSON-serialisable; identifiers and times as text.
        at: when it happened.
        traceparent: trace context of the request or job that caused the event, if there is one.
    """

    id: UUID
    name: str
    user_id: UUID | None
    at: datetime
    payload: Mapping[str, object] = field(default_factory=dict)
    traceparent: str | None = field(default_factory=current.get)


def span_attributes(operation: str, event: Event, destination: str | None = None) -> dict[str, str]:
    """Return the attributes of the span of an operation on an event's message, by OpenTelemetry's semantic conventions
    for messaging (1.44, in development).

    Args:
        operation: `send` or `process`, which are types of operations as well.
        destination: in RabbitMQ, joined by colons: exchange, routing key and, for `process`, queue. None without it.
    """
    rabbitmq = {
        "messaging.system": "rabbitmq",
        "messaging.rabbitmq.destination.routing_key": event.name,
        "messaging.destination.name": destination or "",
    }
    return {
        **(rabbitmq if destination else {}),
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.message.id": str(event.id),
    }


class Outbox(Protocol):
    """Port of the transactional outbox."""

    def add(self, event: Event) -> None:
        """Publish the event at least once if the transaction commits, and never if it does not."""


class DeletedUsers(Protocol):
    """Deleted users, as known to one service."""

    def add(self, user_id: UUID, at: datetime) -> None:
        """Record a user as deleted. Idempotent."""

    def among(self, user_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the users who are deleted."""


class Consumer(Protocol[Work_contra]):
    """Event handler of a service. It writes only that service's tables."""

    @property
    def name(self) -> str:
        """Key of the consumer in the inbox: must never change. At most 40 characters."""

    @property
    def events(self) -> Collection[str]:
        """Names of the events that the consumer subscribes to."""

    def handle(self, work: Work_contra, event: Event) -> None:
        """Handle an event, in the transaction that also records it in the inbox, so that its effect happens once.

        Events may be delivered out of order. An exception rolls back this event's writes alone, and the delivery is
        retried later. Effects outside the database, such as a mail, are left to a job.
        """


class Transport(Protocol):
    """Delivers events from the outbox to the services' dispatchers.

    The in-process transport calls them one after the other; RabbitMQ's publishes to a topic exchange, with the event's
    name as routing key, and each service has a durable queue there.
    """

    def publish(self, events: Sequence[Event]) -> None:
        """Publish events in order. If it raises, all of them stay in the outbox."""
