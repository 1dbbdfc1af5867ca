"""Events, and the ports to publish and consume them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from app.core.observability.span_context import current

USER_DELETED = "user.deleted"
"""Every service that has rows of users deletes this one's."""

Work_contra = TypeVar("Work_contra", contravariant=True)
"""The tables of a service within one transaction."""


@dataclass(frozen=True)
class Event:
    """Something that has happened.

    Args:
        id: tells a second delivery from a second event; UUIDv7, so that events sort by their making.
        name: `service.what_happened`, such as `task.created`.
        user_id: whose data it is about, if anybody's.
        payload: what JSON can hold; identifiers and times as text.
        at: when.
        traceparent: of the request or job that it has happened in, where there are traces.
    """

    id: UUID
    name: str
    user_id: UUID | None
    at: datetime
    payload: dict[str, object] = field(default_factory=dict)
    traceparent: str | None = field(default_factory=current.get)


class Outbox(Protocol):
    def add(self, event: Event) -> None:
        """Tell the event once the transaction commits, at least once; or never, if it does not."""


class DeletedUsers(Protocol):
    """The users whose accounts are deleted, as one service knows them."""

    def add(self, user_id: UUID, at: datetime) -> None:
        """Note that a user is deleted; a second time changes nothing."""

    def among(self, user_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the users who are deleted."""


class Consumer(Protocol[Work_contra]):
    """What a service does when it hears of certain events. It belongs to that service, and writes its tables alone."""

    @property
    def name(self) -> str:
        """Under this name it is remembered what has been handled: it never changes. At most 40 characters."""

    @property
    def events(self) -> Collection[str]:
        """The names of the events that it wants."""

    def handle(self, work: Work_contra, event: Event) -> None:
        """Write what follows from an event, in the transaction that also notes it as handled: so it is done once.

        It knows no order: an event may come after a later one. What it raises undoes this event's writes alone, and the
        event comes again after a while. What no transaction can undo, such as a mail, is left to a job.
        """


class Transport(Protocol):
    """Takes events from the outbox to the services' dispatchers.

    In process they are called one after the other. A broker's transport publishes to a topic exchange with the event's
    name as the routing key; each service has a durable queue there.
    """

    def publish(self, events: Sequence[Event]) -> None:
        """Take these events over, in order. When it raises, all of them stay in the outbox."""
