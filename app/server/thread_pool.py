"""Thread pool that replaces threads which wait for clients."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Protocol


class Client(Protocol):
    """Whom a thread waits for."""

    def time_left(self) -> float:
        """Return the seconds until the thread gives up by itself."""

    def cut_off(self) -> None:
        """End the wait now."""


class ThreadPool:
    """So many threads that work, whoever of them waits for a client: another one is started in its place. And one more,
    for what must not wait until they have time.

    Args:
        size: threads that work.
        most_blocked: clients that threads wait for at the same time; for another one, that is cut off which would be
            given up first.
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
        """Let a thread do a job, which must not raise."""
        self._jobs.put(job)

    def submit_urgent(self, job: Callable[[], None]) -> None:
        """Let the one thread more do a job, which must not raise, nor take long."""
        self._urgent.put(job)

    def shutdown(self, wait: bool = False) -> None:  # noqa: ARG002 as gunicorn calls it
        """Let the threads end after their jobs, and wait for no client any more."""
        with self._lock:
            self._ended = True
            for client in self._blocked:
                client.cut_off()
            for _ in range(self._threads):
                self._jobs.put(None)
            self._urgent.put(None)

    @contextmanager
    def blocked(self, client: Client) -> Iterator[None]:
        """Let another thread work while this one waits for a client."""
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
            # No daemons, nor what requests start: what they have to say at the end would be lost.
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
