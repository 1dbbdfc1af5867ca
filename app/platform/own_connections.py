"""A connection to Redis for each thread: nothing to take from a pool, nor to try out before each command."""

import threading
from typing import Any

from redis import ConnectionPool, Redis
from redis.connection import Connection, ConnectionInterface


class OwnConnections(ConnectionPool):
    """Gives a thread the same connection each time.

    A pool asks the socket of each connection that it hands out whether there is something left in it, which takes as
    long as sending a command. A connection that nobody else uses holds nothing but answers to its own thread: where
    one is not read to its end, redis-py closes the connection. One that has died is noticed by the next command, and
    opened again by its retry.
    """

    def reset(self) -> None:
        """Forget every connection: the process is new, by a fork."""
        super().reset()
        self._own = threading.local()

    def get_connection(self, *_arguments: Any, **_options: Any) -> Connection:
        self._checkpid()
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self.connection_class(**self.connection_kwargs)
        connection.connect()
        return connection

    def release(self, connection: ConnectionInterface) -> None:
        """Leave it to its thread, with whose end it is closed."""


class OwnConnectionClient(Redis):
    """A client of such connections, without what its parent measures of each command for whoever observes redis-py."""

    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        connection = self.connection_pool.get_connection()

        def ask() -> Any:
            connection.send_command(*arguments, **options)  # type: ignore[no-untyped-call]
            return self.parse_response(connection, arguments[0], **options)  # type: ignore[no-untyped-call]

        return connection.retry.call_with_retry(ask, lambda _error: connection.disconnect())  # type: ignore[no-untyped-call]
