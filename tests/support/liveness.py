"""Latency of a server's liveness probe under load."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from math import inf
from urllib.parse import urlsplit

INTERVAL = 0.1
"""Seconds between two probes."""


@dataclass
class Liveness:
    """Result of probing.

    Attributes:
        longest: slowest response in seconds; infinite after a failure.
        probes: number of probes.
    """

    longest: float = 0.0
    probes: int = 0


@contextmanager
def liveness(url: str) -> Iterator[Liveness]:
    """Probe a server until the block ends, as the kubelet does: each time over a new connection.

    Args:
        url: URL of the server. A probe without a 200 response counts as infinitely slow.
    """
    seen, ended = Liveness(), threading.Event()

    address = urlsplit(url)

    def probe() -> None:
        while not ended.wait(INTERVAL):
            begun = time.monotonic()
            # Plain http.client: creating a library's client takes longer than the probe.
            connection = HTTPConnection(str(address.hostname), address.port, timeout=30)
            try:
                connection.request("GET", "/health/live")
                good = connection.getresponse().status == HTTPStatus.OK
            except (OSError, HTTPException):
                good = False
            finally:
                connection.close()
            seen.longest = max(seen.longest, time.monotonic() - begun if good else inf)
            seen.probes += 1

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
