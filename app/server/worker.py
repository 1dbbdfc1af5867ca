"""gunicorn's threaded worker, extended so that slow clients occupy no worker thread (docs/adr/0032).

A thread reads the received bytes of a request, and serves it if header and short body are complete. Else the event loop
buffers the rest first. A thread that waits for more of a long body, or for a client to read its response, is replaced
meanwhile (ThreadPool.blocked).
"""

import contextlib
import errno
import json
import resource
import selectors
import socket
import time
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]
    STOP_KEEPALIVE_LINGER,
    TConn,
    ThreadWorker,
)

from app.server.client_socket import ClientLimits, ClientSocket, SlowClientError
from app.server.partial_request import PartialRequest
from app.server.thread_pool import ThreadPool

RECEIVED = 1 << 16
"""Bytes received from a connection at a time."""

MAX_BUFFERED = 16 << 20
"""Maximum bytes of all incomplete requests together. Beyond it the one with the earliest deadline is ended."""

EXPIRY_INTERVAL = 0.25
"""Seconds between checks for expired connections."""

LINGER = 2.0
"""Seconds for a client to close a connection after the server has shut it down (RFC 9112 section 9.6)."""

LINGER_BYTES = 1 << 16
"""Bytes that it may still send in this time."""

UNSENT = 1 << 17
"""TCP_NOTSENT_LOWAT, bytes: a small send buffer, so that the progress of writes shows how fast a client reads."""

MAPPED = "::ffff:"
"""Prefix of IPv4 addresses on a dual-stack socket (RFC 4291 section 2.5.5.2)."""

PROBE = b"GET /health/"
"""Start of a probe's request."""

SPARE_FILES = 512
"""File descriptors beside those of connections."""


class Then(Enum):
    """What the event loop does with a connection that a thread has handled."""

    KEEP = auto()
    BUFFER = auto()
    CLOSE = auto()


class Connection(TConn):  # type: ignore[misc]
    """A connection, and the received part of its next request.

    Attributes:
        deadline: when more of the request must have arrived, or the client must have closed, by time.monotonic.
    """

    sock: ClientSocket

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.data_ready = True  # so that gunicorn's threads do not wait for the first byte
        self.partial = PartialRequest()
        self.began = 0.0
        self.deadline = 0.0
        self.discarded = 0


class Worker(ThreadWorker):  # type: ignore[misc]
    """The worker class. A subclass sets the limits."""

    limits: ClassVar[ClientLimits]
    waiting_threads: ClassVar[int]
    """Threads that may be blocked on clients, beside `threads`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._incomplete: dict[Connection, None] = {}
        self._buffered = 0
        self._closing: dict[Connection, None] = {}
        self._next_check = 0.0

    def get_thread_pool(self) -> ThreadPool:
        return ThreadPool(self.cfg.threads, self.waiting_threads)

    def init_process(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.worker_connections + SPARE_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for listener in self.sockets:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)  # connections inherit it
        super().init_process()

    # States of a connection: idle, buffering, served, idle again or closing.

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection; it is idle until its first byte arrives."""
        try:
            accepted, (host, port, *_) = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE) and self._make_room():
                return
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        client = ClientSocket(accepted, self.limits, self.tpool)
        self._idle(Connection(self.cfg, client, (host.removeprefix(MAPPED), port), listener.getsockname()))
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def on_client_socket_readable(self, conn: Connection, _client: ClientSocket) -> None:
        """Submit the first bytes of a request to a thread; most requests arrive complete.

        They are not read here: each system call releases the GIL, and the event loop would wait to get it back from
        busy threads. The first request of a connection is read here: it may be a probe, which opens a connection each
        time, and must not queue behind all others, or the gateway would drop a busy pod.
        """
        if conn.sock.fileno() < 0:
            return  # closed by _make_room since the poll
        self.keepalived_conns.remove(conn)
        self.poller.unregister(conn.sock)
        if conn.initialized:
            self.tpool.submit(partial(self._in_thread, conn, self._begin))
        elif then := self._receive(conn):
            self.finish_request(conn, then)
        elif conn.partial.data.startswith(PROBE):
            self.tpool.submit_urgent(partial(self._in_thread, conn, self._serve))
        else:
            self.enqueue_req(conn)

    def finish_request(self, conn: Connection, then: Then) -> None:
        """Handle a connection that a thread has finished with; runs in the event loop."""
        if conn.sock.aborted:
            self._close(conn)
        elif then is Then.CLOSE:
            self._close_gracefully(conn)
        elif then is Then.BUFFER:
            self._buffer(conn)
        elif ahead := conn.parser.unreader.take_buffered():
            if conn.partial.add(ahead):
                self.enqueue_req(conn)
            else:
                self._buffer(conn)
        else:
            self._idle(conn)

    def _idle(self, conn: Connection) -> None:
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _buffer(self, conn: Connection) -> None:
        """Buffer the rest of a request in the event loop. The connection is not registered with the poller yet."""
        conn.began = time.monotonic()
        conn.deadline = conn.began + (self.limits.stall if conn.partial.header_complete else self.limits.header)
        self._incomplete[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_more, conn))
        self._add_buffered(conn, len(conn.partial.data))

    def _on_more(self, conn: Connection, _client: ClientSocket) -> None:
        if conn not in self._incomplete or (data := conn.sock.recv_available(RECEIVED)) is None:
            return
        if not data:
            self._stop_buffering(conn)
            self._close(conn)
            return
        in_body = conn.partial.header_complete
        complete = conn.partial.add(data)
        now = time.monotonic()
        if in_body:
            # A token bucket of seconds, as in ClientSocket.
            conn.deadline = min(now + self.limits.stall, conn.deadline + len(data) / self.limits.rate)
        elif conn.partial.header_complete:
            conn.deadline = now + self.limits.stall
        self._buffered += len(data)
        if complete:
            self._stop_buffering(conn)
            self.enqueue_req(conn)
        else:
            self._add_buffered(conn, 0)

    def _add_buffered(self, conn: Connection, more: int) -> None:
        self._buffered += more
        if conn.partial.too_long:
            self._reject(conn, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The header of the request is too long.")
        if self._buffered > MAX_BUFFERED:
            self._expire(min(self._incomplete, key=lambda one: one.deadline))

    def _stop_buffering(self, conn: Connection) -> None:
        del self._incomplete[conn]
        self._buffered -= len(conn.partial.data)
        self.poller.unregister(conn.sock)

    def _expire(self, conn: Connection) -> None:
        """End a request that has passed its deadline."""
        if not conn.partial.header_complete:
            self._reject(conn, HTTPStatus.REQUEST_TIMEOUT, "The header of the request came too slowly.")
            return
        # The application answers, since it knows route and caller: with 408, if it reads the body.
        self._stop_buffering(conn)
        conn.sock.expire()
        self.enqueue_req(conn)

    def _reject(self, conn: Connection, status: HTTPStatus, reason: str) -> None:
        """Reject a request whose header is incomplete."""
        self._stop_buffering(conn)
        with contextlib.suppress(OSError):  # the client does not read either, or has disconnected
            conn.sock.send(_problem(status, reason))
        if record := self.wsgi.extensions.get("refused_request"):
            record(status, time.monotonic() - conn.began, conn.client[0])
        self._close_gracefully(conn)

    def _close_gracefully(self, conn: Connection) -> None:
        """Shut down the sending side, and close after the client: else bytes still received would reset the connection,
        and the client could lose the response.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        if conn.sock.recv_available(RECEIVED) == b"":
            self._close(conn)
            return
        conn.deadline = time.monotonic() + LINGER
        self._closing[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._discard_rest, conn))

    def _discard_rest(self, conn: Connection, _client: ClientSocket) -> None:
        if conn not in self._closing or (data := conn.sock.recv_available(RECEIVED)) is None:
            return
        conn.discarded += len(data)
        if not data or conn.discarded > LINGER_BYTES:
            self._end_closing(conn)

    def _end_closing(self, conn: Connection) -> None:
        del self._closing[conn]
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """End expired connections. gunicorn's event loop calls it in each iteration."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + EXPIRY_INTERVAL
        for conn in [one for one in self._incomplete if one.deadline <= now]:
            self._expire(conn)
        for conn in [one for one in self._closing if one.deadline <= now]:
            self._end_closing(conn)

    def _make_room(self) -> bool:
        """Close the least valuable connection, and return whether there was one.

        In this order: one that is closing anyway; the oldest idle one that has never sent a request; the oldest idle
        one; the incomplete request with the earliest deadline.
        """
        if self._closing:
            self._end_closing(next(iter(self._closing)))
        elif idle := self.keepalived_conns:
            oldest = next((conn for conn in idle if not conn.initialized), idle[0])
            idle.remove(oldest)
            self.poller.unregister(oldest.sock)
            self._close(oldest)
        elif self._incomplete:
            slow = min(self._incomplete, key=lambda one: one.deadline)
            self._stop_buffering(slow)
            self._close(slow)
        else:
            return False
        return True

    # Threads.

    def enqueue_req(self, conn: Connection) -> None:
        """Submit a buffered request to a thread."""
        self.tpool.submit(partial(self._in_thread, conn, self._serve))

    def _in_thread(self, conn: Connection, work: Callable[[Connection], Then]) -> None:
        then = Then.CLOSE
        try:
            then = work(conn)
        except Exception:
            self.log.exception("Error handling a connection")
        finally:
            self.method_queue.defer(self.finish_request, conn, then)

    def _begin(self, conn: Connection) -> Then:
        """Receive a request, and serve it if it is complete."""
        return self._receive(conn) or self._serve(conn)

    def _receive(self, conn: Connection) -> Then | None:
        """Receive the available bytes. Return None if the request is complete, else what to do with the connection."""
        data = conn.sock.recv_available(RECEIVED)
        if not data:
            return Then.CLOSE if data is not None else Then.BUFFER
        return None if conn.partial.add(data) else Then.BUFFER

    def _serve(self, conn: Connection) -> Then:
        conn.init()
        conn.parser.unreader.unread(bytes(conn.partial.data))
        conn.partial = PartialRequest()
        return Then.KEEP if self.handle(conn) else Then.CLOSE

    def handle_request(self, req: Any, conn: Connection) -> bool:
        conn.sock.begin(req)
        return bool(super().handle_request(req, conn))

    def handle_error(self, req: Any, client: ClientSocket, addr: Any, exc: Exception) -> None:
        if isinstance(exc, SlowClientError):  # raised in middleware before Flask
            client.sendall(_problem(HTTPStatus.REQUEST_TIMEOUT, SlowClientError.description))
        else:
            super().handle_error(req, client, addr, exc)


def _problem(status: HTTPStatus, detail: str) -> bytes:
    """Return a problem response (RFC 9457) that closes the connection."""
    body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}).encode()
    lines = [
        f"HTTP/1.1 {status} {status.phrase}",
        f"Date: {util.http_date()}",
        "Connection: close",
        "Cache-Control: no-store",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
