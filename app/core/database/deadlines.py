"""Client-side query deadlines for PostgreSQL connections.

A frozen server process enforces no `statement_timeout`, and its kernel still acknowledges what it is sent, so that
neither TCP keep-alives nor `tcp_user_timeout` detect it. libpq has no read time-out (the JDBC driver has
`socketTimeout`); psycopg2's wait callback, which could provide one, rules COPY out. So a thread shuts down sockets
whose deadline has passed, and the driver reports a lost connection.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2.extensions

PERIOD = 0.1
"""Seconds between two checks of the deadlines."""

BEFORE = 5.0
"""Seconds that a statement may take on a connection whose transactions have not set a limit yet."""


class DeadlineEnforcer:
    """Shuts down sockets whose deadline has passed, by one thread for the whole process."""

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def limit(self, descriptor: int, seconds: float) -> Iterator[None]:
        """Shut a socket down if the block takes longer than `seconds`.

        Args:
            descriptor: file descriptor of the socket, which stays open until the block ends.
            seconds: time limit of the block.
        """
        with self._lock:
            # A forked process has a copy of this object, but not the thread.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._enforce, name="deadlines", daemon=True)
                self._thread.start()
            self._ends[descriptor] = time.monotonic() + seconds
        try:
            yield
        finally:
            with self._lock:
                self._ends.pop(descriptor, None)

    def _enforce(self) -> None:
        while True:
            time.sleep(PERIOD)
            now = time.monotonic()
            # Under the lock: once its block has ended, a descriptor may be reused for another connection.
            with self._lock:
                for descriptor in [each for each, end in self._ends.items() if end < now]:
                    del self._ends[descriptor]
                    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
                        connection.shutdown(socket.SHUT_RDWR)


WATCH = DeadlineEnforcer()


class DeadlineConnection(psycopg2.extensions.connection):
    """A connection with a client-side deadline for each statement.

    Attributes:
        limit: seconds for a statement.
    """

    limit = BEFORE
    _first: float | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cursor_factory = DeadlineCursor

    def rest(self, seconds: float) -> None:
        """Allow the next statement only `seconds`, whatever the limit: an idle connection's server may be gone."""
        self._first = seconds

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Enforce the deadline while the block waits for the server's answer."""
        with WATCH.limit(self.fileno(), self.limit if self._first is None else self._first):
            yield
        self._first = None

    def commit(self) -> None:
        with self.answered():
            super().commit()

    def rollback(self) -> None:
        with self.answered():
            super().rollback()


class DeadlineCursor(psycopg2.extensions.cursor):
    """A cursor whose calls to the server have the deadline of their connection."""

    connection: DeadlineConnection

    def execute(self, *arguments: Any) -> None:
        with self.connection.answered():
            super().execute(*arguments)

    def executemany(self, *arguments: Any) -> None:
        with self.connection.answered():
            super().executemany(*arguments)

    def copy_expert(self, *arguments: Any) -> None:
        with self.connection.answered():
            super().copy_expert(*arguments)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        # a server-side cursor fetches from the server
        with self.connection.answered():
            return super().fetchmany(size)
