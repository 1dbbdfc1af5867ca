"""Events of services without sessions."""

from datetime import datetime

from typing_extensions import TypedDict

from app.core.clock import NewId
from app.core.events.contracts import EventType
from app.core.events.model import ENDS_REQUESTED, Event


class NoFacts(TypedDict):
    pass


EVENTS = (
    EventType(
        ENDS_REQUESTED, "A service may have missed events: auth publishes recent ends of sessions again", NoFacts
    ),
)


def ends_requested(new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), ENDS_REQUESTED, None, now)
