"""Circuit breaker: refuses callers at once while a server is away, and probes it in the background."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

T = TypeVar("T")

THRESHOLD = 3
"""Failures in a row that open it. One may be a connection that had died unnoticed."""

INTERVAL = 1.0
"""Seconds between two probes."""

MEMORY = 10.0
"""Seconds after which a failure says nothing any more, and after which nobody probes for callers that stay away."""

log = structlog.get_logger(__name__)


class AwayError(Exception):
    """The server did not answer, or is not asked at the moment."""


def _in_a_thread(seconds: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()


class CircuitBreaker:
    """Closed, it lets everybody through. A row of failures opens it: it refuses everybody, and threads of its own probe
    the server at intervals, one at a time. The first success, a probe's or a caller's, closes it.

    Without failures it costs its callers a look at an attribute; no lock is held while a server is asked.

    Args:
        server: its name, for logs.
        probe: raises while the server is not back.
        patience: seconds for which there must have been nothing but failures.
        interval: seconds between two probes.
        clock: seconds that never go back.
        later: calls a function after some seconds, in another thread.
    """

    def __init__(
        self,
        server: str,
        probe: Callable[[], object],
        *,
        patience: float = 0.0,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] = _in_a_thread,
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
        """Whether callers are refused."""
        return self._open

    def refuses(self) -> bool:
        """Tell a caller whether it is refused."""
        if not self._open:
            return False
        self._asked = self._clock()
        return True

    def call(self, function: Callable[[], T], failures: type[Exception]) -> T:
        """Return what a function returns.

        Args:
            function: asks the server.
            failures: what it raises when the server does not answer. Others pass through, and count as nothing.

        Raises:
            AwayError: the server has not answered, or was not asked.
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
        """Note that the server has answered."""
        if self._failures:
            with self._lock:
                self._close("answered")

    def record_failure(self) -> None:
        """Note that the server has not answered."""
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
        """Probe, and come again later unless the server is back or nobody asks for it."""
        back = False
        if self._open:
            try:
                self._probe()
                back = True
            except Exception as error:  # noqa: BLE001 whatever it is, the server is not back
                log.debug("circuit stays open", server=self._server, error=type(error).__name__)
        with self._lock:
            if back:
                self._close("probe answered")
            elif self._open and self._clock() - self._asked > MEMORY:
                self._close("nobody asks")
            self._probing = self._open
            if self._probing:
                self._later(self._interval, self._half_open)

    def _close(self, reason: str) -> None:
        if self._open:
            log.warning("circuit closed", server=self._server, reason=reason)
        self._failures, self._open = 0, False
