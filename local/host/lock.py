"""A lock: one command at a time changes the cluster.

The lock is a name in the kernel: it leaves no file, goes with its holder, and belongs to the network namespace, as the
cluster's ports do.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from local import paths
from local.errors import LocalError


def _name() -> str:
    return f"\0{paths.CLUSTER_NAME}"


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lock while the block runs.

    Raises:
        LocalError: another process holds it; the message names that process.
    """
    with socket.socket(socket.AF_UNIX) as lock:
        try:
            lock.bind(_name())
        except OSError as error:
            by = f"process {pid}" if (pid := holder()) else "it is about to end"
            raise LocalError(f"another run is changing the cluster ({by}): wait for it to end") from error
        lock.listen()
        yield


def holder() -> int | None:
    """Return the id of the process that holds the lock, or None."""
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(_name())
            pid, _, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return int(pid)
    except OSError:
        return None
