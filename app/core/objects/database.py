"""Object store in the database."""

from collections.abc import Iterator
from typing import IO
from uuid import UUID

from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import UnavailableError
from app.core.objects.model import PIECE, MissingObjectError


class DatabaseObjects:
    """Each piece has a transaction of its own, so that a slow reader or writer holds neither memory nor locks."""

    def __init__(self, storage: Storage[UnitOfWork]) -> None:
        self._storage = storage

    def put(self, key: UUID, file: IO[bytes], size: int) -> None:
        position = written = 0
        while piece := file.read(PIECE):
            self._add(key, position, piece)
            position += 1
            written += len(piece)
        if written != size:
            raise UnavailableError("The file has not come whole.")

    def get(self, key: UUID) -> Iterator[bytes]:
        position = 0
        while (piece := self._piece(key, position)) is not None:
            yield piece
            position += 1
        if position == 0:
            raise MissingObjectError(str(key))

    @retried
    def delete(self, key: UUID) -> None:
        with self._storage.write() as work:
            work.object_chunks.delete(key)

    @retried
    def _add(self, key: UUID, position: int, piece: bytes) -> None:
        with self._storage.write() as work:
            work.object_chunks.add(key, position, piece)

    @retried
    def _piece(self, key: UUID, position: int) -> bytes | None:
        with self._storage.read() as work:
            return work.object_chunks.get(key, position)
