"""Transport of events within a process that runs all services."""

from collections.abc import Sequence
from typing import Any

from app.core.events.dispatcher import Dispatcher
from app.core.events.model import Event


class InProcessTransport:
    """Hands events to the dispatcher of every service, one after the other.

    Each service commits by itself: when one of them raises, those before it have handled the events, and know them when
    they come again.
    """

    def __init__(self, dispatchers: Sequence[Dispatcher[Any]]) -> None:
        self._dispatchers = dispatchers

    def publish(self, events: Sequence[Event]) -> None:
        for dispatcher in self._dispatchers:
            dispatcher.deliver(events)

    def run_once(self) -> bool:
        """Try again what is due of what has failed; say whether there was any."""
        retried = [dispatcher.run_once() for dispatcher in self._dispatchers]
        return any(retried)
