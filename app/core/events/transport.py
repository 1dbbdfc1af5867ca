"""In-process transport of events: the last step of any other."""

from collections.abc import Sequence
from typing import Any

from app.core.errors import MovedError
from app.core.events.dispatcher import Dispatcher
from app.core.events.model import Event


class InProcessTransport:
    """Calls the dispatcher of each service, one after the other.

    Each service commits by itself. When one raises, those before it have handled the events, and their inboxes detect
    the repeated delivery.
    """

    def __init__(self, dispatchers: Sequence[Dispatcher[Any]]) -> None:
        self._dispatchers = dispatchers

    @property
    def subscribed(self) -> frozenset[str]:
        """The names of the events that a consumer subscribes to."""
        return frozenset[str]().union(*(dispatcher.subscribed for dispatcher in self._dispatchers))

    def publish(self, events: Sequence[Event]) -> None:
        for dispatcher in self._dispatchers:
            dispatcher.deliver(events)

    def run_once(self) -> bool:
        """Retry failed deliveries that are due; return whether there were any."""
        retried = [self._retry(dispatcher) for dispatcher in self._dispatchers]
        return any(retried)

    def _retry(self, dispatcher: Dispatcher[Any]) -> bool:
        try:
            return dispatcher.run_once()
        except MovedError:  # of one service: the others' are still retried here
            return False
