"""Thread pool that replaces threads blocked on clients."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Protocol


class Client(Protocol):
    """A client that a thread is blocked on."""

    def time_left(self) -> float:
        """Return the seconds until the wait times out by itself."""

    def cut_off(self) -> None:
        """End the wait now."""


class ThreadPool:
    """A thread pool with a constant number of threads that are not blocked on clients, and one thread for urgent jobs.

    Args:
        size: threads that are not blocked.
        most_blocked: maximum number of blocked threads; beyond it the client with the least time left is cut off.
    """

    def __init__(self, size: int, most_blocked: int) -> None:
        self._size = size
        self._most_blocked = most_blocked
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._urgent: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._blocked: set[Client] = set()
        self._threads = 0
        self._ended = False
        threading.Thread(target=self._work_urgent, name="urgent-request", daemon=False).start()
        with self._lock:
            self._start()

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job, which must not raise, in a thread of the pool."""
        self._jobs.put(job)

    def submit_urgent(self, job: Callable[[], None]) -> None:
        """Run a job, which must not raise nor take long, in the urgent thread."""
        self._urgent.put(job)

    def shutdown(self, wait: bool = False) -> None:  # noqa: ARG002 as gunicorn calls it
        """End the threads after their queued jobs, and cut off all clients that they are blocked on."""
        with self._lock:
            self._ended = True
            for client in self._blocked:
                client.cut_off()
            for _ in range(self._threads):
                self._jobs.put(None)
            self._urgent.put(None)

    @contextmanager
    def blocked(self, client: Client) -> Iterator[None]:
        """Count this thread as blocked on a client: another one is started in its place."""
        with self._lock:
            self._blocked.add(client)
            if len(self._blocked) > self._most_blocked:
                slowest = min(self._blocked, key=lambda one: one.time_left())
                self._blocked.discard(slowest)
                slowest.cut_off()
            self._start()
        try:
            yield
        finally:
            with self._lock:
                self._blocked.discard(client)

    def _start(self) -> None:
        while not self._ended and self._threads - len(self._blocked) < self._size:
            self._threads += 1
            # Not daemons, nor are the threads that requests start: their last log lines would be lost at exit.
            threading.Thread(target=self._work, name=f"request-{self._threads}", daemon=False).start()

    def _work_urgent(self) -> None:
        while job := self._urgent.get():
            job()

    def _work(self) -> None:
        while job := self._jobs.get():
            job()
            if self._threads - len(self._blocked) > self._size:
                with self._lock:
                    if self._threads - len(self._blocked) > self._size:
                        self._threads -= 1
                        return
