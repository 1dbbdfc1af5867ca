"""The number of ready API instances over time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import time

from tests.e2e.system import System


@contextmanager
def ready_instances(system: System) -> Iterator[list[tuple[float, int]]]:
    """Look at the number of ready instances each second; yield what was seen, each with its time since the epoch."""
    seen: list[tuple[float, int]] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(1):
            seen.append((time(), len(system.api_pods())))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
