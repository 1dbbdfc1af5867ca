"""Bulkhead: limits how many threads wait for a server, so that the others stay free."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from app.core.errors import UnavailableError

PATIENCE = 2.0
"""Seconds that the first caller over the limit waits for a place. A healthy server answers within milliseconds, and
within this time even on a machine that is short of CPU."""


class Bulkhead:
    """A limited number of places for threads that wait for one server; callers over the limit are rejected.

    Once a caller has waited for `PATIENCE` without getting a place, later ones are rejected at once until the server
    has answered a thread that holds a place; the other threads do other work (M. Nygard, Release It!, "Bulkheads").
    Re-entrant: a thread that holds a place needs no second one.

    Args:
        places: number of threads that may wait at a time.
    """

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._stuck = False
        self._holder = threading.local()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while the block, which calls the server, runs.

        Raises:
            UnavailableError: no place is free. Nothing has been done.
        """
        if getattr(self._holder, "has_place", False):
            yield
            return
        if not self._places.acquire(timeout=0 if self._stuck else PATIENCE):
            self._stuck = True
            raise UnavailableError("The database is busy.")
        self._holder.has_place = True
        try:
            yield
            self._stuck = False
        finally:
            self._holder.has_place = False
            self._places.release()


def place_in(bulkhead: Bulkhead | None) -> AbstractContextManager[None]:
    """Hold a place in a bulkhead; without a bulkhead, do nothing. Raises UnavailableError when no place is free."""
    return bulkhead.place() if bulkhead else nullcontext()
