"""Slow clients that occupy a server's connections: half a request, none, or unread responses."""

import contextlib
import random
import select
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice

HALF_HEADER = b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: "
HALF_BODY = (
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
)
HALF_CHUNKED_BODY = HALF_BODY.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked").replace(b"{", b"3e8\r\n{")
UNREAD_ANSWERS = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200
"""Responses that exceed the socket buffers of both ends."""

KINDS = {
    "idle": b"",
    "half a header": HALF_HEADER,
    "half a body": HALF_BODY,
    "half a chunked body": HALF_CHUNKED_BODY,
    "slow reader": UNREAD_ANSWERS,
}

STEP = 0.2
"""Seconds between bytes of a client."""


@dataclass
class SlowClients:
    """Connected clients. A client that the server closes reconnects.

    Attributes:
        ended: number of connections closed by the server, by kind.
    """

    address: tuple[str, int]
    clients: list[tuple[str, socket.socket]] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)

    def connect(self, kind: str) -> None:
        connection = socket.socket()
        if kind == "slow reader":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        with contextlib.suppress(OSError):
            connection.connect(self.address)
            connection.setblocking(False)
            connection.send(KINDS[kind])
            self.clients.append((kind, connection))
            return
        connection.close()
        self.ended[kind] += 1

    def go_on(self) -> None:
        """Send or read one more byte per client; reconnect closed ones."""
        for kind, connection in list(self.clients):
            try:
                over = is_ended(connection, answered=kind != "slow reader")
                if kind == "slow reader":
                    connection.recv(1)
                elif not over and kind != "idle":
                    connection.send(b"x")
            except BlockingIOError:
                continue
            except OSError:
                over = True
            if over:
                self.clients.remove((kind, connection))
                connection.close()
                self.ended[kind] += 1
                self.connect(kind)


def is_ended(connection: socket.socket, answered: bool) -> bool:
    """Return whether the server has reset a connection, or, with `answered`, has responded or closed it."""
    poll = select.poll()
    poll.register(connection, select.POLLIN if answered else 0)  # POLLERR and POLLHUP are always reported
    return bool(poll.poll(0))


@contextmanager
def slow_clients(host: str, port: int, number: int = 200) -> Iterator[SlowClients]:
    """Run slow clients, equally many of each kind, until the block ends."""
    slow = SlowClients((host, port))
    kinds = list(islice(cycle(KINDS), number))
    random.shuffle(kinds)
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(STEP):
            slow.go_on()

    for kind in kinds:
        slow.connect(kind)
    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield slow
    finally:
        stop.set()
        worker.join()
        for _, connection in slow.clients:
            connection.close()
