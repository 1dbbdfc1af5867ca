"""Writes and reads that go on while something is done to a Redis Cluster."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from redis.cluster import RedisCluster


@contextmanager
def writes(cluster: RedisCluster, tolerated: tuple[type[Exception], ...] = ()) -> Iterator[dict[str, int]]:
    """Write and read back continuously while the block runs; none of it may fail.

    Args:
        tolerated: errors after which the same write is tried again.
    """
    done = {"writes": 0}
    problems: list[Exception] = []
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            number = done["writes"]
            try:
                cluster.set(f"key {number}", number)
                assert cluster.mget_nonatomic(f"key {number}", "key 0") == [str(number).encode(), b"0"]
            except tolerated:
                continue
            except Exception as error:  # noqa: BLE001 reported below
                problems.append(error)
            done["writes"] += 1

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()
    assert problems == [], [repr(problem) for problem in problems]
