"""gunicorn's threaded worker, in which slow clients hold no thread that others need (docs/adr/0032).

A thread takes what has come of a request, and serves it if it has come whole: its header, and a short body. Else the
event loop gathers the rest first. A thread that waits for more of a long body, or for a client to read its answer, is
replaced meanwhile (ThreadPool.blocked).
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
"""Bytes that are taken from a connection at a time."""

GATHERED = 16 << 20
"""Bytes of requests that have not come whole, together. Beyond it that one is ended whose time is over first."""

LOOK = 0.25
"""Seconds between looks for those whose time is over."""

LINGER = 2.0
"""Seconds for a client to close a connection that has ended here (RFC 9112 section 9.6)."""

LINGER_BYTES = 1 << 16
"""Bytes that it may still send meanwhile."""

UNSENT = 1 << 17
"""Bytes that the system takes of an answer beyond those on their way: so it is seen how fast a client reads."""

MAPPED = "::ffff:"
"""How IPv4 addresses look at a socket for both families (RFC 4291 section 2.5.5.2)."""

PROBE = b"GET /health/"
"""How the requests of probes begin."""

SPARE_FILES = 512
"""Open files beside those of connections."""


class Then(Enum):
    """What becomes of a connection that a thread has had."""

    KEEP = auto()
    GATHER = auto()
    CLOSE = auto()


class Connection(TConn):  # type: ignore[misc]
    """A connection, and what has come of its next request.

    Attributes:
        deadline: when more of the request has to be there, or the connection has to be closed, by time.monotonic.
    """

    sock: ClientSocket

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.data_ready = True  # gunicorn's threads shall not wait for the first byte
        self.partial = PartialRequest()
        self.began = 0.0
        self.deadline = 0.0
        self.discarded = 0


class Worker(ThreadWorker):  # type: ignore[misc]
    """Serves with threads. A subclass sets the limits."""

    limits: ClassVar[ClientLimits]
    waiting_threads: ClassVar[int]
    """Threads that may wait for clients, beside those that work."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._gathering: dict[Connection, None] = {}
        self._gathered = 0
        self._closing: dict[Connection, None] = {}
        self._next_look = 0.0

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

    # The life of a connection: idle, gathered, served, idle again or closing.

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection; it is idle until its first byte comes."""
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
        """Let a thread take the first bytes of a request, most of which come whole.

        Not here: each call of the system hands the interpreter on, and this thread would wait to get it back while all
        the others have work. But the first request of a connection may be a probe, which makes one each time, and must
        not wait for a thread behind all others: a pod that is busy would leave the gateway.
        """
        if conn.sock.fileno() < 0:
            return  # closed since the poller saw it, to make room
        self.keepalived_conns.remove(conn)
        self.poller.unregister(conn.sock)
        if conn.initialized:
            self.tpool.submit(partial(self._in_thread, conn, self._begin))
        elif then := self._take(conn):
            self.finish_request(conn, then)
        elif conn.partial.data.startswith(PROBE):
            self.tpool.submit_urgent(partial(self._in_thread, conn, self._serve))
        else:
            self.enqueue_req(conn)

    def finish_request(self, conn: Connection, then: Then) -> None:
        """Go on with a connection that a thread has had, in the thread of the event loop."""
        if conn.sock.aborted:
            self._close(conn)
        elif then is Then.CLOSE:
            self._close_gently(conn)
        elif then is Then.GATHER:
            self._gather(conn)
        elif ahead := conn.parser.unreader.take_buffered():
            if conn.partial.add(ahead):
                self.enqueue_req(conn)
            else:
                self._gather(conn)
        else:
            self._idle(conn)

    def _idle(self, conn: Connection) -> None:
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _gather(self, conn: Connection) -> None:
        """Wait for the rest of a request. The connection is not in the poller."""
        conn.began = time.monotonic()
        conn.deadline = conn.began + (self.limits.stall if conn.partial.header_complete else self.limits.header)
        self._gathering[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_more, conn))
        self._count(conn, len(conn.partial.data))

    def _on_more(self, conn: Connection, _client: ClientSocket) -> None:
        if conn not in self._gathering or (data := conn.sock.recv_available(RECEIVED)) is None:
            return
        if not data:
            self._forget(conn)
            self._close(conn)
            return
        in_body = conn.partial.header_complete
        complete = conn.partial.add(data)
        now = time.monotonic()
        if in_body:
            # A token bucket of seconds, as ClientSocket has one.
            conn.deadline = min(now + self.limits.stall, conn.deadline + len(data) / self.limits.rate)
        elif conn.partial.header_complete:
            conn.deadline = now + self.limits.stall
        self._gathered += len(data)
        if complete:
            self._forget(conn)
            self.enqueue_req(conn)
        else:
            self._count(conn, 0)

    def _count(self, conn: Connection, more: int) -> None:
        self._gathered += more
        if conn.partial.too_long:
            self._refuse(conn, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The header of the request is too long.")
        if self._gathered > GATHERED:
            self._expire(min(self._gathering, key=lambda one: one.deadline))

    def _forget(self, conn: Connection) -> None:
        del self._gathering[conn]
        self._gathered -= len(conn.partial.data)
        self.poller.unregister(conn.sock)

    def _expire(self, conn: Connection) -> None:
        """End a request of which too little has come in time."""
        if not conn.partial.header_complete:
            self._refuse(conn, HTTPStatus.REQUEST_TIMEOUT, "The header of the request came too slowly.")
            return
        # The application answers, as it knows route and caller; where it reads the body, with 408.
        self._forget(conn)
        conn.sock.expire()
        self.enqueue_req(conn)

    def _refuse(self, conn: Connection, status: HTTPStatus, reason: str) -> None:
        """Answer a request that has no complete header."""
        self._forget(conn)
        with contextlib.suppress(OSError):  # it does not read either, or is gone
            conn.sock.send(_problem(status, reason))
        if note := self.wsgi.extensions.get("refused_request"):
            note(status, time.monotonic() - conn.began, conn.client[0])
        self._close_gently(conn)

    def _close_gently(self, conn: Connection) -> None:
        """Close a connection once its client has: else what it sends now would take its answer away."""
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
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_rest, conn))

    def _on_rest(self, conn: Connection, _client: ClientSocket) -> None:
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
        """End what has had its time. gunicorn's loop calls it each time round."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK
        for conn in [one for one in self._gathering if one.deadline <= now]:
            self._expire(conn)
        for conn in [one for one in self._closing if one.deadline <= now]:
            self._end_closing(conn)

    def _make_room(self) -> bool:
        """Close the connection that is missed least, and say whether there was one: of the idle ones the oldest that
        has never brought a request, or else the oldest; or a request that comes slowly.
        """
        if self._closing:
            self._end_closing(next(iter(self._closing)))
        elif idle := self.keepalived_conns:
            oldest = next((conn for conn in idle if not conn.initialized), idle[0])
            idle.remove(oldest)
            self.poller.unregister(oldest.sock)
            self._close(oldest)
        elif self._gathering:
            slow = min(self._gathering, key=lambda one: one.deadline)
            self._forget(slow)
            self._close(slow)
        else:
            return False
        return True

    # Threads.

    def enqueue_req(self, conn: Connection) -> None:
        """Let a thread serve the request that has been gathered."""
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
        """Take what has come of a request, and serve it if that is enough."""
        return self._take(conn) or self._serve(conn)

    def _take(self, conn: Connection) -> Then | None:
        """Take what has come of a request. Return None if it is whole, else what becomes of the connection."""
        data = conn.sock.recv_available(RECEIVED)
        if not data:
            return Then.CLOSE if data is not None else Then.GATHER
        return None if conn.partial.add(data) else Then.GATHER

    def _serve(self, conn: Connection) -> Then:
        conn.init()
        conn.parser.unreader.unread(bytes(conn.partial.data))
        conn.partial = PartialRequest()
        return Then.KEEP if self.handle(conn) else Then.CLOSE

    def handle_request(self, req: Any, conn: Connection) -> bool:
        conn.sock.begin(req)
        return bool(super().handle_request(req, conn))

    def handle_error(self, req: Any, client: ClientSocket, addr: Any, exc: Exception) -> None:
        if isinstance(exc, SlowClientError):  # what stands before Flask has read the body
            client.sendall(_problem(HTTPStatus.REQUEST_TIMEOUT, SlowClientError.description))
        else:
            super().handle_error(req, client, addr, exc)


def _problem(status: HTTPStatus, detail: str) -> bytes:
    """Return an answer that ends the connection (RFC 9457)."""
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
