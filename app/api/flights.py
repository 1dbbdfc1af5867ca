"""Of many requests that want the same answer at the same moment, one makes it: no stampede on the database."""

import threading
import time
from collections import deque
from collections.abc import Hashable

PATIENCE = 5.0
"""Seconds that a request waits for another one's answer before it makes its own."""

KEPT = 2 * PATIENCE
"""Seconds for which a flight is there: also for who has looked for the answer before it was kept, and comes after."""


class Flight:
    """An answer that is being made."""

    def __init__(self) -> None:
        self._landed = threading.Event()
        self._body: bytes | None = None

    def land(self, body: bytes | None) -> None:
        """Hand the answer to who waits; None when there is none. Only the first call counts."""
        if not self._landed.is_set():
            self._body = body
            self._landed.set()

    def wait(self) -> bytes | None:
        """Return the answer, or None when there is none to be had."""
        self._landed.wait(PATIENCE)
        return self._body

    @property
    def failed(self) -> bool:
        return self._landed.is_set() and self._body is None


class Flights:
    """Those under way or just landed, by what they bring."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, Flight] = {}
        self._begun: deque[tuple[float, Hashable]] = deque()
        self._lock = threading.Lock()

    def join(self, key: Hashable) -> tuple[Flight, bool]:
        """Return the flight for this answer, and whether the caller is the first: then it has to make the answer.

        Args:
            key: what the answer is; whatever may make it another answer has to be part of it.
        """
        now = time.monotonic()
        with self._lock:
            while self._begun and self._begun[0][0] < now - KEPT:
                self._flights.pop(self._begun.popleft()[1], None)
            flight = self._flights.get(key)
            if flight is not None and not flight.failed:
                return flight, False
            flight = self._flights[key] = Flight()
            self._begun.append((now, key))
            return flight, True
