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


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lock while the block runs.

    Raises:
        LocalError: another process holds it; the message names that process.
    """
    name = f"\0{paths.CLUSTER_NAME}"
    with socket.socket(socket.AF_UNIX) as lock:
        try:
            lock.bind(name)
        except OSError as error:
            raise LocalError(f"another run is changing the cluster ({_holder(name)}): wait for it to end") from error
        lock.listen()
        yield


def _holder(name: str) -> str:
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(name)
            pid, _, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return f"process {pid}"
    except OSError:
        return "it is about to end"
