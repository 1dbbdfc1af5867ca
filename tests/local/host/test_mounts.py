"""Mount points as the kernel lists them."""

from __future__ import annotations

from pathlib import Path

from local.host import mounts


def test_mount_points_with_blanks_are_read() -> None:
    line = r"36 35 98:0 / /mnt/two\040words rw - ext4 /dev/root rw"
    assert mounts.points(line) == [Path("/mnt/two words")]
