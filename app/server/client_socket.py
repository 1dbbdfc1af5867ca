"""Client sockets with a time budget, which hold no thread that others need."""

import contextlib
import errno
import os
import select
import socket
import time
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import RequestTimeout

from app.server.thread_pool import ThreadPool

SEND_STEP = 1 << 20
"""Bytes of a file that are sent at a time."""


class SlowClientError(RequestTimeout):
    """The body of a request comes too slowly: 408, and the connection ends."""

    description = "The body of the request came too slowly."


@dataclass(frozen=True)
class ClientLimits:
    """How long a server waits for its clients.

    Attributes:
        header: seconds from the first byte of a request to the end of its header.
        stall: seconds that a client may let the server wait for bytes of a body, or for room for an answer.
        rate: bytes a second that a client has to move, or it uses up the seconds of `stall`.
    """

    header: float
    stall: float
    rate: int


class ClientSocket(socket.socket):
    """A connection that is never blocking for the system; who reads or writes waits here.

    Args:
        accepted: the connection, which is taken over.
        limits: for its client.
        pool: of the threads that read and write.
    """

    def __init__(self, accepted: socket.socket, limits: ClientLimits, pool: ThreadPool) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        super().setblocking(False)
        self._limits = limits
        self._pool = pool
        self._timeout: float | None = None
        self._allowance = limits.stall
        self._wait_began = 0.0
        self._waits_for = select.POLLIN
        self._cut_off = False
        self._request: Any = None
        self.aborted = False
        """Whether the client has not read its answer: nothing more is to be said to it."""

    def begin(self, request: Any) -> None:
        """Begin to count for a request of gunicorn's."""
        self._request = request
        self._allowance = self._limits.stall
        if self._cut_off:
            request.force_close()

    def expire(self) -> None:
        """Let whoever reads more of the request get SlowClientError."""
        self._cut_off = True

    def time_left(self) -> float:
        """Return the seconds until who waits gives up."""
        return self._allowance - (time.monotonic() - self._wait_began)

    def cut_off(self) -> None:
        """End the wait of another thread."""
        self._cut_off = True
        with contextlib.suppress(OSError):  # a client that is gone ends the wait too
            self.shutdown(socket.SHUT_RD if self._waits_for == select.POLLIN else socket.SHUT_RDWR)

    def recv_available(self, size: int) -> bytes | None:
        """Return what is there, b"" at the end, or None if there is nothing yet."""
        try:
            return super().recv(size)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return bytes of the request, waiting for them.

        Raises:
            SlowClientError: they don't come in time.
        """
        while True:
            if self._cut_off:
                raise self._too_slow()
            try:
                data = super().recv(size, flags)
            except BlockingIOError:
                if self._wait(select.POLLIN):
                    continue
                raise self._too_slow() from None
            self._moved(len(data))
            return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it, waiting for the client to read.

        Raises:
            ConnectionResetError: it does not read in time; gunicorn ends the connection and logs nothing.
        """
        left = memoryview(data)
        while left:
            try:
                sent = super().send(left, flags)
            except BlockingIOError:
                self._wait_to_send()
                continue
            self._moved(sent)
            left = left[sent:]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a part of a file, waiting for the client to read.

        Raises:
            ConnectionResetError: it does not read in time.
        """
        start = offset
        end = os.fstat(file.fileno()).st_size if count is None else offset + count
        while offset < end:
            try:
                sent = os.sendfile(self.fileno(), file.fileno(), offset, min(end - offset, SEND_STEP))
            except BlockingIOError:
                self._wait_to_send()
                continue
            if not sent:
                break
            self._moved(sent)
            offset += sent
        return offset - start

    def setblocking(self, flag: bool) -> None:  # noqa: ARG002 as gunicorn calls it
        """Wait as long as the limits say from now on: for the system it stays non-blocking."""
        self._timeout = None

    def settimeout(self, value: float | None) -> None:
        """Let the next reads wait this long at most; then they raise TimeoutError."""
        self._timeout = value

    def gettimeout(self) -> float | None:
        return self._timeout

    def _moved(self, count: int) -> None:
        # A token bucket of seconds: waiting takes from it, bytes that move fill it.
        self._allowance = min(self._limits.stall, self._allowance + count / self._limits.rate)

    def _wait_to_send(self) -> None:
        if not self._wait(select.POLLOUT) or self._cut_off:
            self.aborted = True
            # What lies in the system's buffers is not to be sent any more.
            self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raise ConnectionResetError(errno.ECONNRESET, "the client does not read its answer")

    def _wait(self, event: int) -> bool:
        """Wait until the client can be read from, or written to. False when its time is up."""
        seconds = self._allowance if self._timeout is None else min(self._timeout, self._allowance)
        poll = select.poll()
        poll.register(self, event)
        self._waits_for = event
        began = self._wait_began = time.monotonic()
        with self._pool.blocked(self):
            ready = poll.poll(max(0.0, seconds) * 1000)
        self._allowance -= time.monotonic() - began
        return bool(ready)

    def _too_slow(self) -> Exception:
        if self._timeout is not None:
            return TimeoutError("timed out")
        if self._request is not None:
            self._request.force_close()
        return SlowClientError()
