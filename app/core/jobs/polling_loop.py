"""Polling loop: a thread that runs a function at intervals, and at once when it is woken."""

import threading
from collections.abc import Callable

import structlog

from app.core.errors import MovedError, UnavailableError

log = structlog.get_logger(__name__)


class PollingLoop:
    """Calls an action until it is stopped: at once again while there was work, else after a while or when woken.

    Args:
        name: of the thread.
        action: says whether there was work. What it raises is logged, and it is called again; MovedError ends it.
        seconds: between two calls without work.
    """

    def __init__(self, name: str, action: Callable[[], bool], seconds: float) -> None:
        self._name = name
        self._action = action
        self._seconds = seconds
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        # Made here: a thread that was made before the server forked says of itself that it has ended.
        self._thread = threading.Thread(target=self.run, name=self._name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it goes on, or has been told to end."""
        return self._stopped.is_set() or (self._thread is not None and self._thread.is_alive())

    def wake(self) -> None:
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Ask it to end, and wait for its current call, but not longer than that."""
        self.end()
        if self._thread is not None:
            self._thread.join(seconds)

    def end(self) -> None:
        self._stopped.set()
        self._woken.set()

    def run(self) -> None:
        """Go on until it is stopped, in the thread that calls."""
        while not self._stopped.is_set():
            try:
                worked = self._action()
            except MovedError:
                self.end()  # there is nothing left to do here
                return
            except UnavailableError as error:
                log.warning("background work waits", loop=self._name, reason=str(error))
                worked = False
            except Exception:
                log.exception("background work failed", loop=self._name)
                worked = False
            if not worked:
                self._woken.wait(self._seconds)
            self._woken.clear()
