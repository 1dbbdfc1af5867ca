"""Polling loop: a thread that calls a function at intervals, or at once when woken."""

import threading
import time
from collections.abc import Callable, Collection

import structlog

from app.core.errors import MovedError, UnavailableError

log = structlog.get_logger(__name__)


class PollingLoop:
    """Calls an action until it is stopped: again at once while there was work, else after a pause or when woken.

    Args:
        name: name of the thread.
        action: returns whether there was work. Its exceptions are logged and the loop goes on, except for MovedError,
            which ends it.
        seconds: pause after a call without work.
        close: called in the loop's thread when it has ended.
    """

    def __init__(
        self, name: str, action: Callable[[], bool], seconds: float, close: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self._action = action
        self._seconds = seconds
        self._close = close
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        # Created here: a thread object from before the server forked reports itself as ended.
        self._thread = threading.Thread(target=self.run, name=self.name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs, or was asked to stop."""
        return self._stopped.is_set() or (self._thread is not None and self._thread.is_alive())

    def wake(self) -> None:
        """Call the action at once."""
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Ask the loop to end, and wait at most `seconds` for its current call."""
        self.end()
        if self._thread is not None:
            self._thread.join(seconds)

    def end(self) -> None:
        """Ask the loop to end after its current call."""
        self._stopped.set()
        self._woken.set()

    def run(self) -> None:
        """Run the loop in the calling thread until it is stopped."""
        try:
            self._run()
        finally:
            self._close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                worked = self._action()
            except MovedError:
                self.end()  # the work is done elsewhere from now on
                return
            except UnavailableError as error:
                log.warning("background work paused", loop=self.name, reason=str(error))
                worked = False
            except Exception:
                log.exception("background work failed", loop=self.name)
                worked = False
            if not worked:
                self._woken.wait(self._seconds)
            self._woken.clear()


def stop_all(loops: Collection[PollingLoop], seconds: float) -> None:
    """Ask loops to end, and wait at most `seconds` in all for their current calls."""
    end = time.monotonic() + seconds
    for loop in loops:
        loop.end()
    for loop in loops:
        loop.stop(max(end - time.monotonic(), 0))
