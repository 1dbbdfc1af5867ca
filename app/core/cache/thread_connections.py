"""Thread-local Redis connections: no pool checkout, and no health check before each command."""

import socket
import struct
import threading
from typing import Any

from redis import ConnectionError as RedisConnectionError
from redis import ConnectionPool, Redis
from redis import TimeoutError as RedisTimeoutError
from redis.connection import Connection, ConnectionInterface


class SocketTimeoutConnection(Connection):
    """Leaves its time-out to the kernel. Python asks a socket with a time-out of its own whether it is ready, before
    each sending and each receiving, and hands the interpreter to another thread meanwhile: with many threads that is
    what a round trip costs most.
    """

    def _connect(self) -> socket.socket:
        sock: socket.socket = super()._connect()  # type: ignore[no-untyped-call]
        timeval = struct.pack("@ll", *divmod(round((self.socket_timeout or 0) * 1_000_000), 1_000_000))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            sock.setsockopt(socket.SOL_SOCKET, option, timeval)
        sock.settimeout(None)
        return sock

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().read_response(*arguments, **options)
        except RedisConnectionError as error:
            if isinstance(error.__context__, BlockingIOError):  # so a time-out of the kernel looks
                raise RedisTimeoutError("Timeout reading from socket") from error
            raise


class ThreadLocalConnections(ConnectionPool):
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
        if not connection.is_connected:
            connection.connect()
        return connection

    def release(self, connection: ConnectionInterface) -> None:
        """Leave it to its thread, with whose end it is closed."""


class ThreadLocalClient(Redis):
    """A client of such connections, without what its parent measures of each command for whoever observes redis-py."""

    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        connection = self.connection_pool.get_connection()

        def ask() -> Any:
            connection.send_command(*arguments, **options)  # type: ignore[no-untyped-call]
            return self.parse_response(connection, arguments[0], **options)  # type: ignore[no-untyped-call]

        return connection.retry.call_with_retry(ask, lambda _error: connection.disconnect())  # type: ignore[no-untyped-call]
