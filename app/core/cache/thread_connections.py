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
    """A connection with kernel time-outs (SO_RCVTIMEO, SO_SNDTIMEO).

    With a Python time-out each send and receive polls the socket first, and releases the GIL for it: with many threads
    that is most of the cost of a round trip.
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
            if isinstance(error.__context__, BlockingIOError):  # EAGAIN: the kernel's time-out
                raise RedisTimeoutError("Timeout reading from socket") from error
            raise


class ThreadLocalConnections(ConnectionPool):
    """A connection pool with one connection a thread.

    redis-py's pool checks each connection for unread data at checkout, which takes as long as sending a command. A
    connection of one thread holds replies to that thread alone, and redis-py closes it if a reply is not read to its
    end. A dead connection fails the next command, whose retry reconnects.
    """

    def reset(self) -> None:
        """Drop all connections, as after a fork."""
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
        """Keep it: it is closed when its thread ends."""


class ThreadLocalClient(Redis):
    """A client of thread-local connections, without its parent's instrumentation of each command."""

    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        connection = self.connection_pool.get_connection()

        def send() -> Any:
            connection.send_command(*arguments, **options)  # type: ignore[no-untyped-call]
            return self.parse_response(connection, arguments[0], **options)  # type: ignore[no-untyped-call]

        return connection.retry.call_with_retry(send, lambda _error: connection.disconnect())  # type: ignore[no-untyped-call]
