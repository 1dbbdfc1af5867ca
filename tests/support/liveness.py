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
    """Attributes: longest is that of the slowest answer, in seconds; probes counts them."""

    longest: float = 0.0
    probes: int = 0


@contextmanager
def liveness(url: str) -> Iterator[Liveness]:
    """Probe a server until the block ends, as the kubelet does: each time by a new connection.

    Args:
        url: of the server. A probe that gets no answer, or not 200, counts as one that took for ever.
    """
    seen, ended = Liveness(), threading.Event()

    address = urlsplit(url)

    def probe() -> None:
        while not ended.wait(INTERVAL):
            begun = time.monotonic()
            # No client of a library: to make one takes longer than the answer.
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
