"""Handover lock of a SQLite database: it stays read-only and names its successor."""

import os
from pathlib import Path


class HandoverLock:
    """A file beside the database, so that every process that has the database sees it.

    Args:
        database: the database's file.
    """

    def __init__(self, database: Path) -> None:
        self._file = database.with_name(f"{database.name}.moved")

    def address(self) -> str | None:
        """Return where the data has gone, as `http://host:port`; None while it is here."""
        try:
            return self._file.read_text()
        except FileNotFoundError:
            return None

    def acquire(self, address: str) -> None:
        """Seal the database. To be done under its write lock: whoever gets the lock next finds the seal, whole and
        on the disk."""
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
        """Let the database be written to again."""
        self._file.unlink(missing_ok=True)
