"""Object store in the database."""

from collections.abc import Iterator
from typing import IO
from uuid import UUID

from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import UnavailableError
from app.core.objects.model import CHUNK_BYTES, MissingObjectError


class DatabaseObjects:
    """Stores objects in chunks, each in a transaction of its own: slow clients hold neither memory nor locks."""

    def __init__(self, storage: Storage[UnitOfWork]) -> None:
        self._storage = storage

    def put(self, key: UUID, file: IO[bytes], size: int) -> None:
        position = written = 0
        while chunk := file.read(CHUNK_BYTES):
            self._add(key, position, chunk)
            position += 1
            written += len(chunk)
        if written != size:
            raise UnavailableError("The file has not come whole.")

    def get(self, key: UUID) -> Iterator[bytes]:
        position = 0
        while (chunk := self._chunk(key, position)) is not None:
            yield chunk
            position += 1
        if position == 0:
            raise MissingObjectError(str(key))

    @retried
    def delete(self, key: UUID) -> None:
        with self._storage.write() as work:
            work.object_chunks.delete(key)

    @retried
    def _add(self, key: UUID, position: int, chunk: bytes) -> None:
        with self._storage.write() as work:
            work.object_chunks.add(key, position, chunk)

    @retried
    def _chunk(self, key: UUID, position: int) -> bytes | None:
        with self._storage.read() as work:
            return work.object_chunks.get(key, position)
