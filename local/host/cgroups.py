"""The control groups that hold each node's pods; version 1 (one hierarchy a controller) and version 2 (one in all)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from local import paths
from local.errors import LocalError

ROOT = Path("/sys/fs/cgroup")
NEEDED = ("cpu", "cpuset", "memory", "pids")
OURS = paths.CLUSTER_NAME


def is_unified() -> bool:
    """Tell whether the machine uses version 2."""
    return (ROOT / "cgroup.controllers").exists()


def hierarchies() -> list[Path]:
    """Return the roots in which a group has to be made."""
    if is_unified():
        return [ROOT]
    return [entry for entry in sorted(ROOT.iterdir()) if (entry / "cgroup.procs").exists() and not entry.is_symlink()]


def missing() -> list[str]:
    """Return the needed controllers that this machine does not offer."""
    if is_unified():
        offered = (ROOT / "cgroup.controllers").read_text().split()
        return [name for name in NEEDED if name not in offered]
    return [name for name in NEEDED if not (ROOT / name / "cgroup.procs").exists()]


def make(group: str) -> None:
    """Make a group, `/primetrade/node-1` for instance, in every hierarchy, ready to have children with limits.

    Raises:
        LocalError: the machine does not let us.
    """
    for root in hierarchies():
        here = root
        for part in Path(group.strip("/")).parts:
            try:
                if is_unified():
                    (here / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in NEEDED))
                parent, here = here, here / part
                here.mkdir(exist_ok=True)
                for setting in ("cpuset.cpus", "cpuset.mems"):  # empty in a new group, and must not be
                    if (here / setting).exists() and not is_unified() and not (here / setting).read_text().strip():
                        (here / setting).write_text((parent / setting).read_text())
            except OSError as error:
                raise LocalError(f"the control group {here} can't be made: {error.strerror}") from error


def remove() -> None:
    """End every process in the cluster's groups (containers, and nothing else, are in there) and remove the groups."""
    for root in hierarchies():
        top = root / OURS
        if not top.is_dir():
            continue
        until = time.monotonic() + 15
        while top.is_dir():
            for group in [*(Path(directory) for directory, _, _ in os.walk(top, topdown=False))]:
                for pid in _processes(group):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(OSError):  # busy until the last process is gone
                    group.rmdir()
            if top.is_dir():
                if time.monotonic() > until:
                    raise LocalError(f"the control group {top} can't be removed: it still holds processes")
                time.sleep(0.05)


def _processes(group: Path) -> list[int]:
    try:
        return [int(line) for line in (group / "cgroup.procs").read_text().split()]
    except OSError:
        return []
