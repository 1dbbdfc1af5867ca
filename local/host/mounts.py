"""Mount points of this machine."""

from __future__ import annotations

from pathlib import Path

from local.host.commands import run

MOUNTS = Path("/proc/self/mountinfo")


def points(text: str) -> list[Path]:
    """Return the mount points that a `mountinfo` lists, in its order; it writes blanks and the like in octal."""
    return [Path(line.split()[4].encode().decode("unicode_escape")) for line in text.splitlines()]


def under(directory: Path) -> list[Path]:
    """Return what is mounted at or below a directory, the innermost first."""
    return [point for point in reversed(points(MOUNTS.read_text())) if point.is_relative_to(directory)]


def unmount(directory: Path) -> None:
    """Unmount what is at or below a directory."""
    for point in under(directory):
        run("umount", "--lazy", point)


def is_on_overlay(directory: Path) -> bool:
    """Tell whether a directory lies on an overlay file system, as everything within a container does."""
    best, kind = "", ""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, at, fstype = line.split()[:3]
        if len(at) > len(best) and directory.is_relative_to(at):
            best, kind = at, fstype
    return kind == "overlay"
