"""Ports of object stores, and the metadata of a file."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol
from uuid import UUID

CHUNK_BYTES = 1 << 18
"""Bytes of a chunk, which bounds the memory: 256 KiB."""


class MissingObjectError(Exception):
    """The store has no such file."""


@dataclass(frozen=True)
class Upload:
    """An uploaded file with a sanitised name and a detected content type.

    Args:
        file: open for reading, at its beginning.
        size: in bytes.
        name: from `names.safe_name`.
        content_type: from `content.content_type`.
    """

    file: IO[bytes]
    size: int
    name: str
    content_type: str


@dataclass(frozen=True)
class StoredObject:
    """Metadata of a file in the store; `size` is in bytes."""

    key: UUID
    name: str
    content_type: str
    size: int


class ObjectStore(Protocol):
    """Store for the bytes of files. Its methods raise UnavailableError when it can't be reached."""

    def put(self, key: UUID, file: IO[bytes], size: int) -> None:
        """Store `size` bytes from `file` under a new key."""

    def get(self, key: UUID) -> Iterator[bytes]:
        """Yield the bytes in chunks. The first iteration raises MissingObjectError if there is no such file."""

    def delete(self, key: UUID) -> None:
        """Delete the bytes, if there are any."""


class Objects(Protocol):
    """Metadata of files, within one transaction. A file is linked, or unlinked with an expiry time."""

    def add(self, stored: StoredObject, loose_from: datetime) -> None:
        """Record a file that is about to be stored, as unlinked; it expires at `loose_from` unless it is linked."""

    def get(self, key: UUID) -> StoredObject | None:
        """Return the metadata of a linked file."""

    def link(self, key: UUID, now: datetime) -> bool:
        """Link a file, so that it does not expire; return False if it has expired, or is about to."""

    def unlink(self, keys: Sequence[UUID], now: datetime) -> None:
        """Unlink files, which expire at once."""

    def expire_unlinked(self, key: UUID, now: datetime) -> None:
        """Let a file expire now if it is unlinked. Waits for a transaction that is linking it."""

    def unlinked(self, now: datetime, limit: int) -> list[UUID]:
        """Return up to `limit` expired unlinked files, those that expired first at the front."""

    def delete(self, keys: Sequence[UUID]) -> None:
        """Delete the metadata of files whose bytes are deleted."""


class ObjectWork(Protocol):
    """Unit of work with the metadata of files."""

    @property
    def objects(self) -> Objects: ...


class ObjectStorage(Protocol):
    """Opens transactions on the metadata of files."""

    def read(self) -> AbstractContextManager[ObjectWork]:
        """Open a transaction that only reads."""

    def write(self) -> AbstractContextManager[ObjectWork]:
        """Open a transaction that commits if its block ends without an exception."""
