"""A TCP proxy whose backend can be switched, as a Kubernetes Service does."""

import selectors
import socket
import threading
import time
from contextlib import suppress


class Address:
    """Forwards TCP connections. Open ones stay with their backend.

    Args:
        port: port of the server on this machine.
        delay: latency in seconds of each chunk, in both directions.
    """

    def __init__(self, port: int, delay: float = 0) -> None:
        self.delay = delay
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"postgresql+psycopg2://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def lead_to(self, port: int) -> None:
        """Switch new connections to another port of this machine."""
        self._target = port

    def __enter__(self) -> "Address":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._ends += (client, server)
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Copy bytes both ways until one side ends."""
        with selectors.DefaultSelector() as either, suppress(OSError, ValueError):
            either.register(client, selectors.EVENT_READ, server)
            either.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in either.select():
                    source: socket.socket = key.fileobj  # type: ignore[assignment]
                    data = source.recv(65536)
                    if not data:
                        for end in (client, server):
                            end.shutdown(socket.SHUT_RDWR)
                        return
                    time.sleep(self.delay)
                    key.data.sendall(data)
