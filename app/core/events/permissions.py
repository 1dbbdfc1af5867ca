"""Permissions of each service's user in RabbitMQ."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from app.core.events.topology import EVENTS, ServiceQueue


@dataclass(frozen=True)
class Permissions:
    """Regular expressions over names, as RabbitMQ takes them: they match a part of a name unless they are anchored.

    Args:
        configure, write, read: names of queues and exchanges.
        topics_written, topics_read: routing keys of the exchange of events.
    """

    configure: str
    write: str
    read: str
    topics_written: str
    topics_read: str


def permissions(services: Collection[str], published: Collection[str], subscribed: Collection[str]) -> Permissions:
    """Return what a process needs in the virtual host of events: queues, dead letters, and events of its services.

    It may not declare the exchange of events, which belongs to all of them, nor publish an event of another service,
    nor bind its queue to what it does not subscribe to. Routing keys are allowed by their first part, as `task` in
    `task.created`: an older release, which a rollback brings back, may have more or other events of that kind.

    Args:
        services: names of its services.
        published: names of the events that they publish.
        subscribed: names of the events that their consumers subscribe to.
    """
    own = [name for queue in map(ServiceQueue, services) for name in (queue.name, queue.dead_letters)]
    used = _any_of((*own, EVENTS))
    return Permissions(
        configure=_any_of(own),
        write=used,
        read=used,
        topics_written=_kinds_of(published),
        topics_read=_kinds_of(subscribed),
    )


def _any_of(names: Collection[str]) -> str:
    """Return an expression that matches these names; without any, none."""
    return f"^({'|'.join(map(re.escape, sorted(names)))})$" if names else "^$"


def _kinds_of(events: Collection[str]) -> str:
    """Return an expression that matches all events whose first part one of these has; without any, none."""
    kinds = sorted({event.partition(".")[0] for event in events})
    return rf"^({'|'.join(map(re.escape, kinds))})\." if kinds else "^$"
