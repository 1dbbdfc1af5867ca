"""Client sockets with a time budget for slow reads and writes."""

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
"""Bytes of a file sent at a time."""


class SlowClientError(RequestTimeout):
    """The request body arrived too slowly: 408, and the connection is closed."""

    description = "The body of the request came too slowly."


@dataclass(frozen=True)
class ClientLimits:
    """Time-outs for slow clients.

    Attributes:
        header: seconds from the first byte of a request to the end of its header.
        stall: budget of seconds that the server waits for the client to send a body or to read a response.
        rate: minimum bytes a second: a client that is slower uses up the budget.
    """

    header: float
    stall: float
    rate: int


class ClientSocket(socket.socket):
    """A socket that is non-blocking for the kernel; reads and writes wait in `poll`, within the client's time budget.

    Args:
        accepted: the accepted socket, which is taken over.
        limits: the client's time-outs.
        pool: the pool of the threads that read and write.
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
        """Whether the client has not read its response in time: nothing more is sent."""

    def begin(self, request: Any) -> None:
        """Start the time budget of a request (gunicorn's object)."""
        self._request = request
        self._allowance = self._limits.stall
        if self._cut_off:
            request.force_close()

    def expire(self) -> None:
        """Make the next read of the request raise SlowClientError."""
        self._cut_off = True

    def time_left(self) -> float:
        """Return the seconds until the current wait times out."""
        return self._allowance - (time.monotonic() - self._wait_began)

    def cut_off(self) -> None:
        """End the wait of another thread on this socket."""
        self._cut_off = True
        with contextlib.suppress(OSError):  # the client has disconnected, which ends the wait too
            self.shutdown(socket.SHUT_RD if self._waits_for == select.POLLIN else socket.SHUT_RDWR)

    def recv_available(self, size: int) -> bytes | None:
        """Return the received bytes, b"" at the end of the stream, or None if there are none yet."""
        try:
            return super().recv(size)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive bytes of the request, waiting for them.

        Raises:
            SlowClientError: the budget is used up.
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
            ConnectionResetError: the budget is used up; gunicorn closes the connection and logs nothing.
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
        """Send a range of a file, waiting for the client to read.

        Raises:
            ConnectionResetError: the budget is used up.
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
        """Use the limits' time-outs from now on; for the kernel the socket stays non-blocking."""
        self._timeout = None

    def settimeout(self, value: float | None) -> None:
        """Limit the wait of the next reads, in seconds; then they raise TimeoutError."""
        self._timeout = value

    def gettimeout(self) -> float | None:
        return self._timeout

    def _moved(self, count: int) -> None:
        # A token bucket of seconds: waiting drains it, transferred bytes refill it.
        self._allowance = min(self._limits.stall, self._allowance + count / self._limits.rate)

    def _wait_to_send(self) -> None:
        if not self._wait(select.POLLOUT) or self._cut_off:
            self.aborted = True
            # SO_LINGER of 0 s: discard the kernel's send buffer.
            self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raise ConnectionResetError(errno.ECONNRESET, "the client does not read its answer")

    def _wait(self, event: int) -> bool:
        """Wait until the socket is readable or writable; return False on time-out."""
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
