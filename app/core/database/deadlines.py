"""Client-side query deadlines for PostgreSQL connections.

A server whose process stands still runs no `statement_timeout`, and its kernel acknowledges whatever it is sent, so
that neither TCP keep-alives nor `tcp_user_timeout` find anything wrong. libpq has no limit for this (the JDBC driver
has one, `socketTimeout`); psycopg2's wait callback, which could be one, rules COPY out. So a thread shuts down the
sockets that have waited for too long, and the driver tells what it tells of any connection that is lost.
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
"""Seconds between two looks at who has waited for too long."""

BEFORE = 5.0
"""Seconds for a statement before any transaction has said how long its own may take."""


class Watch:
    """Shuts down sockets when their time is over. One thread does so for all of a process."""

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def limit(self, descriptor: int, seconds: float) -> Iterator[None]:
        """Shut a socket down if the block takes longer than that.

        Args:
            descriptor: of the socket, which stays open until the block ends.
            seconds: how long the block may take.
        """
        with self._lock:
            # A process that was forked has a copy of this object, and no such thread.
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
            # Under the lock: a descriptor that its block has let go of may be somebody else's a moment later.
            with self._lock:
                for descriptor in [each for each, end in self._ends.items() if end < now]:
                    del self._ends[descriptor]
                    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
                        connection.shutdown(socket.SHUT_RDWR)


WATCH = Watch()


class DeadlineConnection(psycopg2.extensions.connection):
    """A connection that does not wait for ever.

    Attributes:
        limit: seconds for a statement.
    """

    limit = BEFORE
    _first: float | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cursor_factory = DeadlineCursor

    def rest(self, seconds: float) -> None:
        """Allow its next statement that long, whatever the limit: its server may be there no more."""
        self._first = seconds

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Wait for an answer, but not longer than is allowed."""
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
        # of a cursor that the server keeps, it asks the server
        with self.connection.answered():
            return super().fetchmany(size)
