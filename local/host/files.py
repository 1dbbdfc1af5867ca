"""Atomic writes of files, skipped when nothing has changed (some programs end when their file is rewritten); locks."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(path: Path, content: bytes | str, mode: int = 0o644) -> Path:
    """Write a file unless it has that content; return its path."""
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == data:
        return path
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_name(path.name + ".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    scratch.rename(path)
    return path


def write_private(path: Path, content: bytes | str) -> Path:
    """Write a file that only its owner may read, unless it has that content; return its path."""
    return write(path, content, 0o600)


def place(made: Path, target: Path) -> None:
    """Move a directory that has been made to its place; where another run was faster, its work stands."""
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def copy_writable(source: Path, target: Path) -> None:
    """Copy a directory whose files and folders nobody may write or remove, such as one of Go's module cache."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for folder in (target, *filter(Path.is_dir, target.rglob("*"))):
        folder.chmod(0o755)


def remove_former(current: Path, name: str) -> None:
    """Remove what other versions have left beside a file or directory named `name` and 12 hexadecimal digits."""
    suffix = current.name.removeprefix(f"{name}-")[12:]
    for old in current.parent.glob(f"{name}-" + "[0-9a-f]" * 12 + suffix):
        if old != current and old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        elif old != current:
            old.unlink()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which stays behind; wait while another thread or process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
