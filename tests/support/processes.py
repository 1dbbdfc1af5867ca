"""Processes of servers that tests run."""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the children of a process that has one thread."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants(pid: int) -> Iterator[int]:
    """Yield a process, its children, and theirs."""
    yield pid
    for child in children(pid):
        yield from descendants(child)


@contextmanager
def suspended(processes: Iterable[int]) -> Iterator[None]:
    """Suspend processes in this order, while the kernel keeps acknowledging packets."""
    stopped = []
    try:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
            stopped.append(process)
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
