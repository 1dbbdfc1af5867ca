"""Concurrent runs of the same function."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

THREADS = 4


def at_once(make_turn: Callable[[], Callable[[], bool]]) -> None:
    """Start threads together; each repeats its turn until that returns False.

    Args:
        make_turn: returns the turn of a thread. Exceptions of turns are raised here.
    """
    turns = [make_turn() for _ in range(THREADS)]
    start = threading.Barrier(THREADS)

    def work(turn: Callable[[], bool]) -> None:
        start.wait(30)
        while turn():
            pass

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, turns))
