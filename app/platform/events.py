"""Events: what one service tells the others. They leave through the outbox, in the transaction of what they tell."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Event:
    """Something that has happened.

    Args:
        id: tells a second delivery from a second event; UUIDv7, so that events sort by their making.
        name: `service.what_happened`, such as `task.created`.
        user_id: whose data it is about, if anybody's.
        payload: what JSON can hold; identifiers and times as text.
        at: when.
    """

    id: UUID
    name: str
    user_id: UUID | None
    at: datetime
    payload: dict[str, object] = field(default_factory=dict)


class Outbox(Protocol):
    def add(self, event: Event) -> None:
        """Tell the event once the transaction commits, at least once; or never, if it does not."""
