"""Single flight: concurrent misses of one key compute it once."""

import threading
import time
from collections.abc import Callable, Hashable
from math import inf

from cachetools import TTLCache

PATIENCE = 5.0
"""Seconds that a request waits for another one's result before it computes its own."""

KEPT = 2 * PATIENCE
"""Seconds for which a call can be joined, and its result had: also by a request that missed before the result was
cached, and comes after."""

BUDGET = 4 << 20
"""Bytes of the results that are there for latecomers, together. A request that waits for one gets it in any case."""


class SharedCall:
    """A result that one thread computes, and others wait for.

    Args:
        finished: is called with it once it has its result, or will have none.
    """

    result: bytes | None = None

    def __init__(self, finished: Callable[["SharedCall"], None]) -> None:
        self._on_finish = finished
        self._finished = threading.Event()

    def finish(self, result: bytes | None) -> None:
        """Hand the result to all who wait; None when there is none. Only the first call counts."""
        if not self._finished.is_set():
            self.result = result
            self._finished.set()
            self._on_finish(self)

    def wait(self) -> bytes | None:
        """Return the result, or None when there is none to be had."""
        self._finished.wait(PATIENCE)
        return self.result


class SingleFlight:
    """The calls under way and those that have just finished, by key.

    Args:
        budget: bytes of the results of finished calls.
        timer: seconds, as of time.monotonic.
    """

    def __init__(self, budget: int = BUDGET, timer: Callable[[], float] = time.monotonic) -> None:
        self._under_way: TTLCache[Hashable, SharedCall] = TTLCache(inf, KEPT, timer)
        self._finished: TTLCache[Hashable, SharedCall] = TTLCache(budget, KEPT, timer, _size)
        self._lock = threading.Lock()

    def join(self, key: Hashable) -> tuple[SharedCall, bool]:
        """Return the call for a key, and whether the caller is the first: then it has to compute the result.

        Args:
            key: whatever may make it another result has to be part of it.
        """
        with self._lock:
            if (call := self._under_way.get(key) or self._finished.get(key)) is not None:
                return call, False
            call = self._under_way[key] = SharedCall(lambda call: self._finish(key, call))
            return call, True

    def _finish(self, key: Hashable, call: SharedCall) -> None:
        with self._lock:
            if self._under_way.get(key) is not call:
                return  # it has taken too long
            self._under_way.pop(key, None)  # whose time may be over at this very moment, where `del` would raise
            if call.result is not None and len(call.result) <= self._finished.maxsize:
                self._finished[key] = call


def _size(call: SharedCall) -> int:
    return len(call.result or b"")
