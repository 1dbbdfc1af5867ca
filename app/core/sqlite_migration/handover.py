"""Handover lock of a SQLite database: makes it read-only, and holds the address of the servers that take over."""

import os
from pathlib import Path


class HandoverLock:
    """Lock file next to the database, visible to every process that uses the database.

    Args:
        database: file of the database.
    """

    def __init__(self, database: Path) -> None:
        self._file = database.with_name(f"{database.name}.moved")

    def address(self) -> str | None:
        """Return the address of the servers that took over, as `http://host:port`; None if the lock is not acquired."""
        try:
            return self._file.read_text()
        except FileNotFoundError:
            return None

    def acquire(self, address: str) -> None:
        """Write the lock file atomically and durably. Requires SQLite's write lock: the next writer then sees it."""
        draft = self._file.with_suffix(".draft")
        with draft.open("w") as file:
            file.write(address)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def release(self) -> None:
        """Make the database writable again."""
        self._file.unlink(missing_ok=True)
