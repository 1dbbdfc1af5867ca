"""A small image archive."""

from __future__ import annotations

from pathlib import Path

from local.images import archives
from local.images.archives import Entry, ImageConfig


def write_archive(directory: Path, name: str = "a.tar") -> Path:
    program = directory / "program"
    program.write_text("#!/bin/sh\n")
    layer, target = directory / "layer.tar", directory / name
    archives.layer(
        [
            Entry("data", directory=True, owner=999),
            Entry("bin/program", program),
            Entry("sh", link="bin/program"),
            Entry("etc/motd", text="hello", mode=0o644),
        ],
        layer,
    )
    archives.image("example.org/x:1", [layer], ImageConfig(("/bin/program",), user="999:999"), target)
    return target
