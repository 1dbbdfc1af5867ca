"""Free ports and waiting."""

import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from itertools import cycle

FIRST, BLOCK, BLOCKS = 61_000, 250, 18
"""Ports above the ephemeral range of Linux (`net.ipv4.ip_local_port_range`); one block per pytest worker."""


def _block() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first, start = FIRST + worker % BLOCKS * BLOCK, random.randrange(BLOCK)  # noqa: S311 no secret
    return cycle(first + (start + number) % BLOCK for number in range(BLOCK))


_ports = _block()


def free_port() -> int:
    """Return a free port of 127.0.0.1, which is not returned again in this run for a while."""
    return next(port for port in _ports if is_free(port))


def is_free(port: int) -> bool:
    """Return whether no process listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait until a condition holds. Raises TimeoutError, which names what did not happen."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)
