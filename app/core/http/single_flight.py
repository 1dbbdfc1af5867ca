"""Single flight: concurrent misses of one key compute it once."""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable

PATIENCE = 5.0
"""Seconds that a request waits for another one's answer before it makes its own."""

KEPT = 2 * PATIENCE
"""Seconds for which a flight is there: also for who has looked for the answer before it was kept, and comes after."""

BUDGET = 4 << 20
"""Bytes of the answers that are there for who comes after, together. Who waits for one gets it in any case."""


class SharedCall:
    """An answer that is being made.

    Args:
        began: by time.monotonic, seconds.
        landed: is told of the answer once it is there.
    """

    def __init__(self, began: float, landed: Callable[["SharedCall", bytes | None], None]) -> None:
        self.began = began
        self._tell = landed
        self._landed = threading.Event()
        self._body: bytes | None = None

    def land(self, body: bytes | None) -> None:
        """Hand the answer to who waits; None when there is none. Only the first call counts."""
        if not self._landed.is_set():
            self._body = body
            self._landed.set()
            self._tell(self, body)

    def wait(self) -> bytes | None:
        """Return the answer, or None when there is none to be had."""
        self._landed.wait(PATIENCE)
        return self._body


class SingleFlight:
    """Those under way or just landed, by what they bring.

    Args:
        budget: bytes of answers that have landed.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._single_flight: dict[Hashable, SharedCall] = {}
        self._begun: deque[tuple[float, Hashable]] = deque()
        self._landed: dict[Hashable, int] = {}
        """Bytes of those that have landed, the oldest first."""
        self._bytes = 0
        self._lock = threading.Lock()

    def join(self, key: Hashable) -> tuple[SharedCall, bool]:
        """Return the flight for this answer, and whether the caller is the first: then it has to make the answer.

        Args:
            key: what the answer is; whatever may make it another answer has to be part of it.
        """
        now = time.monotonic()
        with self._lock:
            while self._begun and self._begun[0][0] < now - KEPT:
                began, old = self._begun.popleft()
                # Not one that has been made again since.
                if old in self._single_flight and self._single_flight[old].began == began:
                    self._drop(old)
            if key in self._single_flight:
                return self._single_flight[key], False
            flight = self._single_flight[key] = SharedCall(now, lambda landed, body: self._land(key, landed, body))
            self._begun.append((now, key))
            return flight, True

    def _land(self, key: Hashable, flight: SharedCall, body: bytes | None) -> None:
        with self._lock:
            if self._single_flight.get(key) is not flight:
                return  # it has taken too long
            if body is None:
                self._drop(key)
                return
            self._landed[key] = len(body)
            self._bytes += len(body)
            while self._bytes > self._budget:
                self._drop(next(iter(self._landed)))

    def _drop(self, key: Hashable) -> None:
        del self._single_flight[key]
        self._bytes -= self._landed.pop(key, 0)
