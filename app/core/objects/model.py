"""Ports of object stores, and the metadata of a file."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol
from uuid import UUID

PIECE = 1 << 18
"""Bytes that are in memory at a time: 256 KiB."""


class MissingObjectError(Exception):
    """The store has no such file."""


@dataclass(frozen=True)
class Upload:
    """A file as it came, its name and type no longer the client's claim.

    Args:
        file: open for reading, at its beginning.
        size: bytes.
        name: as `names.safe_name` returns it.
        content_type: as `content.content_type` returns it.
    """

    file: IO[bytes]
    size: int
    name: str
    content_type: str


@dataclass(frozen=True)
class StoredObject:
    key: UUID
    name: str
    content_type: str
    size: int


class ObjectStore(Protocol):
    """Holds the bytes. Raises UnavailableError when it is away."""

    def put(self, key: UUID, file: IO[bytes], size: int) -> None:
        """Store `size` bytes from `file` under a new key."""

    def get(self, key: UUID) -> Iterator[bytes]:
        """Yield the bytes, a piece at a time. The first raises MissingObjectError if there are none."""

    def delete(self, key: UUID) -> None:
        """Delete what is there, if anything is."""


class Objects(Protocol):
    """What the database knows of files, within one transaction. One that nothing refers to is loose: its time runs."""

    def add(self, stored: StoredObject, loose_from: datetime) -> None:
        """Note a file that is about to be stored; it is loose from a time on, unless it is adopted before."""

    def get(self, key: UUID) -> StoredObject | None:
        """Return what is known of a file that something refers to."""

    def link(self, key: UUID, now: datetime) -> bool:
        """Keep a file for good; say whether it was still there to be kept."""

    def unlink(self, keys: Sequence[UUID], now: datetime) -> None:
        """Nothing refers to these any more."""

    def expire_unlinked(self, key: UUID, now: datetime) -> None:
        """Let the time of a file that nothing refers to be over now. Waits for a transaction that is adopting it."""

    def unlinked(self, now: datetime, limit: int) -> list[UUID]:
        """Return files that are loose."""

    def delete(self, keys: Sequence[UUID]) -> None:
        """Drop what is known of files whose bytes are gone."""


class ObjectWork(Protocol):
    @property
    def objects(self) -> Objects: ...


class ObjectStorage(Protocol):
    def read(self) -> AbstractContextManager[ObjectWork]:
        """Open a transaction that only reads."""

    def write(self) -> AbstractContextManager[ObjectWork]:
        """Open a transaction that commits when its block ends well."""
