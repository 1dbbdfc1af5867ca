"""Bulkhead: limits how many threads wait for a server, so that others stay free."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from app.core.errors import UnavailableError

PATIENCE = 2.0
"""Seconds that the first one too many waits for a place. A server that is well answers within milliseconds, and within
this on a machine that is short of processor."""


class Bulkhead:
    """Has places for those who wait for the server, and refuses who comes when all are taken for long.

    Once one has waited in vain nobody waits any more, until the server has answered somebody: each free place is then a
    try, and the threads that are left do other work (M. Nygard, Release It!, "Bulkheads"). A thread that has a place
    needs no second one.

    Args:
        places: how many may wait at a time.
    """

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._stuck = False
        self._holder = threading.local()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place while the block, which asks the server, runs.

        Raises:
            UnavailableError: there is none. Nothing has been done.
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
    """Have a place in a bulkhead, if there is one. Raises UnavailableError as it does."""
    return bulkhead.place() if bulkhead else nullcontext()
