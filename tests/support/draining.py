"""Clients of a pod that drains, and a Service that leads new connections elsewhere."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.ports import wait_for

PAUSES = (0.0, 0.001, 0.01, 0.05, 0.3, 0.9)
"""Seconds between requests, one per client: from busy ones to idle keep-alive connections."""


class Service:
    """A Kubernetes Service as a client sees it: it decides where new connections go; open ones stay."""

    def __init__(self, port: int) -> None:
        self.port = port


class Client(threading.Thread):
    """Sends requests over one connection, and reconnects only on `Connection: close`.

    Any error counts as a lost request: there are no retries.
    """

    def __init__(self, service: Service, pause: float) -> None:
        super().__init__()
        self.service = service
        self.pause = pause
        self.running = True
        self.outcomes: Counter[str] = Counter()
        self.ports: Counter[int] = Counter()

    def run(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while self.running:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=10)
            try:
                connection.request("GET", "/health/live")
                response = connection.getresponse()
                response.read()
                self.outcomes[str(response.status)] += 1
                self.ports[connection.port] += 1
            except (OSError, http.client.HTTPException) as error:
                self.outcomes[type(error).__name__] += 1
                connection.close()
                connection = None
            else:
                if response.getheader("Connection", "").lower() == "close":
                    connection.close()
                    connection = None
            time.sleep(self.pause)
        if connection:
            connection.close()


@contextmanager
def clients_of(service: Service) -> Iterator[list[Client]]:
    """Run clients until the block ends; each has been served when it begins."""
    clients = [Client(service, pause) for pause in PAUSES]
    for client in clients:
        client.start()
    try:
        wait_for(lambda: all(client.outcomes["200"] > 1 for client in clients), "every client is served")
        yield clients
    finally:
        for client in clients:
            client.running = False
        for client in clients:
            client.join()


def outcomes_of(clients: list[Client]) -> Counter[str]:
    """Return the outcomes of all their requests."""
    return sum((client.outcomes for client in clients), Counter[str]())
