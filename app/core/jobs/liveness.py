"""Liveness of a worker: it consumes messages of its broker, shown by pings to itself."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from app.core.jobs.polling_loop import PollingLoop

PERIOD = 5.0
"""Seconds between two pings. The liveness probe tolerates several missed ones: a consumer that has lost its broker
reconnects by itself after up to half a minute."""

log = structlog.get_logger(__name__)


class ConsumerLiveness:
    """Reports a worker alive while it consumes messages, or has a reason not to.

    After a lost connection a consumer may stop consuming, while everything else in its process goes on. So the worker
    sends pings to a queue that only it consumes. No ping is required while all slots are busy, nor while the broker is
    unavailable: a restart would not help, and would hit all workers at once.

    Args:
        ping: sends a message to this worker.
        away: exceptions of `ping` that mean that the broker is unavailable.
        alive: called to report the worker alive.
        places: number of jobs that the worker runs concurrently.
        loops: threads of the worker that must be alive too.
    """

    def __init__(
        self,
        ping: Callable[[], None],
        away: tuple[type[Exception], ...],
        alive: Callable[[], None],
        places: int,
        loops: Sequence[PollingLoop] = (),
    ) -> None:
        self._ping = ping
        self._away = away
        self._alive = alive
        self._places = places
        self._loops = loops
        self._running = 0
        self._lock = threading.Lock()

    @contextmanager
    def job(self) -> Iterator[None]:
        """Occupy a slot while the block runs a job."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def taken(self) -> None:
        """Report the worker alive, if its threads are: a ping was consumed."""
        if all(loop.alive for loop in self._loops):
            self._alive()

    def run_once(self) -> bool:
        """Send a ping if a slot is free. Returns False, so that the loop waits before the next one."""
        if self._running >= self._places:
            self.taken()
            return False
        try:
            self._ping()
        except self._away as error:
            log.warning("broker unavailable", error=type(error).__name__)
            self.taken()
        return False
