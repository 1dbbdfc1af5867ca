"""A circuit breaker: while something is away, it is not asked by every request, which would wait each time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

THRESHOLD = 3
"""Failures in a row that open it. One may be a connection that had died unnoticed."""

PAUSE = 1.0
"""Seconds until somebody tries again, while all others still do without."""

LONGEST_PAUSE = 8.0
"""Each try in vain doubles the pause, up to this: it is some request that pays for a try with its time."""


class AwayError(Exception):
    """It did not answer, or is not asked at the moment."""


class Breaker:
    """Passes calls on until they fail; then only one at a time is let through, ever more seldom, until one succeeds.

    Args:
        failures: the exceptions that count as a failure; others pass through and count as an answer.
    """

    def __init__(self, failures: type[Exception]) -> None:
        self._failures = failures
        self._in_a_row = 0
        self._pause = PAUSE
        self._try_at = 0.0
        self._lock = threading.Lock()

    def call(self, function: Callable[[], T]) -> T:
        """Return what the function returns. Raises AwayError."""
        if self.open and not self._may_try():
            raise AwayError("not asked")
        try:
            value = function()
        except self._failures as error:
            with self._lock:
                self._in_a_row += 1
                if self._in_a_row > THRESHOLD:
                    self._pause = min(2 * self._pause, LONGEST_PAUSE)
                self._try_at = time.monotonic() + self._pause
            raise AwayError(type(error).__name__) from error
        self._in_a_row, self._pause = 0, PAUSE
        return value

    @property
    def open(self) -> bool:
        """Whether calls are not passed on."""
        return self._in_a_row >= THRESHOLD

    def _may_try(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._try_at:
                return False
            self._try_at = now + self._pause
            return True
