"""Liveness of a worker: it consumes its broker's messages, among them its own pings."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from app.core.jobs.polling_loop import PollingLoop

PERIOD = 5.0
"""Seconds between two pings. The probes allow for many of them: a consumer that has lost its broker comes back after up
to half a minute by itself."""

log = structlog.get_logger(__name__)


class ConsumerLiveness:
    """Tells that a worker lives while it can be seen to take messages, or has a reason not to.

    A consumer may stay deaf after its connection was lost, while all else in its process goes on. So the worker sends
    pings to a queue that it alone consumes. None is expected while every place is taken by a job, nor while the broker
    is away: no restart would help then, and all workers would be restarted at once.

    Args:
        ping: sends a message to this worker.
        away: the exceptions by which `ping` tells that the broker is away.
        alive: called when the worker is seen to live.
        places: jobs at a time.
        loops: threads of the worker that have to be there too.
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
        """Take a place while the block does a job."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def taken(self) -> None:
        """Note that a ping has been taken."""
        if all(loop.alive for loop in self._loops):
            self._alive()

    def run_once(self) -> bool:
        """Send a ping where one can be taken; say whether to do so at once again, which there is no reason to."""
        if self._running >= self._places:
            self.taken()
            return False
        try:
            self._ping()
        except self._away as error:
            log.warning("broker away", error=type(error).__name__)
            self.taken()
        return False
