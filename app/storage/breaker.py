"""A circuit breaker: while something is away, it is not asked by every request, which would wait each time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

THRESHOLD = 3
"""Failures in a row that open it. One may be a connection that had died unnoticed."""

PAUSE = 1.0
"""Seconds between two tries whether it is back."""


class AwayError(Exception):
    """It did not answer, or is not asked at the moment."""


class Breaker:
    """Passes calls on until they fail; then none, until a try has shown that it is back. A thread of its own tries, as
    long as there are calls: none of them waits for what is slow.

    Args:
        failures: the exceptions that count as a failure; others pass through and count as an answer.
        probe: the try; raises what counts as a failure while it is not back.
    """

    def __init__(self, failures: type[Exception], probe: Callable[[], object]) -> None:
        self._failures = failures
        self._probe = probe
        self._in_a_row = 0
        self._try_at = 0.0
        self._trying = False
        self._lock = threading.Lock()

    def call(self, function: Callable[[], T]) -> T:
        """Return what the function returns. Raises AwayError."""
        if self.open:
            self._try()
            raise AwayError("not asked")
        try:
            value = function()
        except self._failures as error:
            with self._lock:
                self._in_a_row += 1
                self._try_at = time.monotonic() + PAUSE
            raise AwayError(type(error).__name__) from error
        self._in_a_row = 0
        return value

    @property
    def open(self) -> bool:
        """Whether calls are not passed on."""
        return self._in_a_row >= THRESHOLD

    def _try(self) -> None:
        with self._lock:
            if self._trying or time.monotonic() < self._try_at:
                return
            self._trying = True
        threading.Thread(target=self._see, name="breaker", daemon=True).start()

    def _see(self) -> None:
        try:
            self._probe()
        except self._failures:
            self._try_at = time.monotonic() + PAUSE
        else:
            self._in_a_row = 0
        finally:
            self._trying = False
