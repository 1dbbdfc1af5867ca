"""Object store in a directory."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import UUID

from app.core.errors import UnavailableError
from app.core.objects.model import CHUNK_BYTES, MissingObjectError


class DirectoryObjects:
    """Stores each object as a file.

    Args:
        root: directory; created at the first upload.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: UUID, file: IO[bytes], size: int) -> None:
        path = self._path(key)
        written = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                while chunk := file.read(CHUNK_BYTES):
                    target.write(chunk)
                    written += len(chunk)
                target.flush()
                os.fsync(target.fileno())
        except OSError as error:
            raise UnavailableError("The file can't be stored.") from error
        if written != size:
            raise UnavailableError("The file has not come whole.")

    def get(self, key: UUID) -> Iterator[bytes]:
        try:
            with self._path(key).open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except FileNotFoundError as error:
            raise MissingObjectError(str(key)) from error
        except OSError as error:
            raise UnavailableError("The file can't be read.") from error

    def delete(self, key: UUID) -> None:
        try:
            with suppress(FileNotFoundError):
                self._path(key).unlink()
        except OSError as error:
            raise UnavailableError("The file can't be deleted.") from error

    def _path(self, key: UUID) -> Path:
        # UUIDv7: the first digits are the time, the last two are random and spread the files over 256 directories.
        return self._root / key.hex[-2:] / key.hex
