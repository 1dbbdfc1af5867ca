"""Looks at a running system, each second, while something is done to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import time

from tests.e2e.system import System


@contextmanager
def each_second(look: Callable[[], None]) -> Iterator[None]:
    """Call `look` each second until the block ends."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(1):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


@contextmanager
def ready_instances(system: System) -> Iterator[list[tuple[float, int]]]:
    """Look at the number of ready instances each second; yield what was seen, each with its time since the epoch."""
    seen: list[tuple[float, int]] = []
    with each_second(lambda: seen.append((time(), len(system.api_pods())))):
        yield seen
