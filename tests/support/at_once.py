"""Concurrent runs of the same function."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

THREADS = 4


def at_once(make_turn: Callable[[], Callable[[], bool]]) -> None:
    """Let threads begin together, and each take turns until one of its turns finds nothing to do.

    Args:
        make_turn: makes each thread's own turn. What a turn raises is raised here.
    """
    turns = [make_turn() for _ in range(THREADS)]
    start = threading.Barrier(THREADS)

    def work(turn: Callable[[], bool]) -> None:
        start.wait(30)
        while turn():
            pass

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, turns))
