"""Circuit breaker: rejects calls at once while a server is unavailable, and probes it in the background."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

T = TypeVar("T")

THRESHOLD = 3
"""Consecutive failures that open the circuit. A single one may be a connection that had died unnoticed."""

INTERVAL = 1.0
"""Seconds between two probes."""

MEMORY = 10.0
"""Seconds after which a failure no longer counts, and after which probing ends if there were no calls."""

log = structlog.get_logger(__name__)


class AwayError(Exception):
    """The server did not answer, or was not called because the circuit is open."""


def _start_timer(seconds: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()


class CircuitBreaker:
    """Circuit breaker for one server, closed at first.

    Consecutive failures open it. While it is open, all calls are rejected and timer threads probe the server, one
    probe at a time. The first success, of a probe or of a call that was already under way, closes it.

    Without failures a call costs one attribute access; no lock is held while the server is called.

    Args:
        server: name of the server, for logs.
        probe: raises while the server is unavailable.
        patience: seconds of nothing but failures before the circuit opens.
        interval: seconds between two probes.
        clock: monotonic time in seconds.
        later: calls a function after a number of seconds, in another thread.
    """

    def __init__(
        self,
        server: str,
        probe: Callable[[], object],
        *,
        patience: float = 0.0,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] = _start_timer,
    ) -> None:
        self._server = server
        self._probe = probe
        self._patience = patience
        self._interval = interval
        self._clock = clock
        self._later = later
        self._failures = 0
        self._began = self._latest = self._asked = clock()
        self._open = False
        self._probing = False
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """Whether calls are rejected."""
        return self._open

    def refuses(self) -> bool:
        """Return whether this call is rejected; a rejected call counts as demand, which keeps the probes going."""
        if not self._open:
            return False
        self._asked = self._clock()
        return True

    def call(self, function: Callable[[], T], failures: type[Exception]) -> T:
        """Call a function and return its result.

        Args:
            function: calls the server.
            failures: exception that it raises when the server does not answer. Others pass through uncounted.

        Raises:
            AwayError: the server did not answer, or was not called.
        """
        if self.refuses():
            raise AwayError("not asked")
        try:
            value = function()
        except failures as error:
            self.record_failure()
            raise AwayError(type(error).__name__) from error
        self.record_success()
        return value

    def record_success(self) -> None:
        """Record that the server answered."""
        if self._failures:
            with self._lock:
                self._close("answered")

    def record_failure(self) -> None:
        """Record that the server did not answer."""
        with self._lock:
            now = self._clock()
            if not self._failures or now - self._latest > MEMORY:
                self._failures, self._began = 0, now
            self._failures += 1
            self._latest = now
            if self._open or self._failures < THRESHOLD or now - self._began < self._patience:
                return
            self._open, self._asked = True, now
            log.warning("circuit opened", server=self._server, failures=self._failures)
            if not self._probing:
                self._probing = True
                self._later(self._interval, self._half_open)

    def _half_open(self) -> None:
        """Probe the server, and schedule the next probe unless it is back or there are no more calls."""
        back = False
        if self._open:
            try:
                self._probe()
                back = True
            except Exception as error:  # noqa: BLE001 any exception means that the server is not back
                log.debug("circuit stays open", server=self._server, error=type(error).__name__)
        with self._lock:
            if back:
                self._close("probe answered")
            elif self._open and self._clock() - self._asked > MEMORY:
                self._close("no calls")
            self._probing = self._open
            if self._probing:
                self._later(self._interval, self._half_open)

    def _close(self, reason: str) -> None:
        if self._open:
            log.warning("circuit closed", server=self._server, reason=reason)
        self._failures, self._open = 0, False
