"""Single flight: concurrent misses of one key compute it once."""

import threading
import time
from collections.abc import Callable, Hashable
from math import inf

from cachetools import TTLCache

PATIENCE = 5.0
"""Seconds that a request waits for another's result before it computes its own."""

KEPT = 2 * PATIENCE
"""Seconds for which a call can be joined, even when it has finished: a request may have missed the cache before the
result was stored, and join after."""

BUDGET = 4 << 20
"""Total bytes of finished results held for late joiners. A request that is waiting gets its result in any case."""


class SharedCall:
    """A result that one thread computes and others wait for.

    Args:
        finished: called with this object once the call has a result, or has failed.
    """

    result: bytes | None = None

    def __init__(self, finished: Callable[["SharedCall"], None]) -> None:
        self._on_finish = finished
        self._finished = threading.Event()

    def finish(self, result: bytes | None) -> None:
        """Set the result and wake the waiting threads; None if there is none. Calls after the first are ignored."""
        if not self._finished.is_set():
            self.result = result
            self._finished.set()
            self._on_finish(self)

    def wait(self) -> bytes | None:
        """Return the result, or None if there is none within PATIENCE."""
        self._finished.wait(PATIENCE)
        return self.result


class SingleFlight:
    """Calls in flight and just finished, by key.

    Args:
        budget: total bytes of finished results to hold.
        timer: a clock in seconds, such as time.monotonic.
    """

    def __init__(self, budget: int = BUDGET, timer: Callable[[], float] = time.monotonic) -> None:
        self._under_way: TTLCache[Hashable, SharedCall] = TTLCache(inf, KEPT, timer)
        self._finished: TTLCache[Hashable, SharedCall] = TTLCache(budget, KEPT, timer, _size)
        self._lock = threading.Lock()

    def join(self, key: Hashable) -> tuple[SharedCall, bool]:
        """Return the call of a key, and whether the caller is the first: then it must compute the result and finish.

        Args:
            key: everything that the result depends on.
        """
        with self._lock:
            if (call := self._under_way.get(key) or self._finished.get(key)) is not None:
                return call, False
            call = self._under_way[key] = SharedCall(lambda call: self._finish(key, call))
            return call, True

    def _finish(self, key: Hashable, call: SharedCall) -> None:
        with self._lock:
            if self._under_way.get(key) is not call:
                return  # expired, and perhaps replaced by a newer call
            self._under_way.pop(key, None)  # `del` would raise if it expires at this very moment
            if call.result is not None and len(call.result) <= self._finished.maxsize:
                self._finished[key] = call


def _size(call: SharedCall) -> int:
    return len(call.result or b"")
