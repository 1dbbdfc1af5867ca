"""Repositories of file metadata, and of files whose bytes are stored in the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.core.database.row_count import changed
from app.core.objects.model import StoredObject
from app.core.objects.tables import ObjectChunkRow, ObjectRow

MARGIN = timedelta(minutes=5)
"""A file is not linked so close to its expiry: by another process's clock it may have expired."""


class SqlObjects:
    """Metadata of files in the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, stored: StoredObject, loose_from: datetime) -> None:
        self._session.execute(insert(ObjectRow).values(**vars(stored), loose_from=loose_from))

    def get(self, key: UUID) -> StoredObject | None:
        row = self._session.scalar(select(ObjectRow).where(ObjectRow.key == key, ObjectRow.loose_from.is_(None)))
        return StoredObject(row.key, row.name, row.content_type, row.size) if row else None

    def link(self, key: UUID, now: datetime) -> bool:
        result = self._session.execute(
            update(ObjectRow).where(ObjectRow.key == key, ObjectRow.loose_from > now + MARGIN).values(loose_from=None)
        )
        return changed(result) == 1

    def unlink(self, keys: Sequence[UUID], now: datetime) -> None:
        self._session.execute(update(ObjectRow).where(ObjectRow.key.in_(keys)).values(loose_from=now))

    def expire_unlinked(self, key: UUID, now: datetime) -> None:
        # Waits for the row lock of a transaction that is linking the file, then evaluates the condition again (READ
        # COMMITTED).
        still_unlinked = (ObjectRow.key == key, ObjectRow.loose_from.is_not(None))
        self._session.execute(update(ObjectRow).where(*still_unlinked).values(loose_from=now))

    def unlinked(self, now: datetime, limit: int) -> list[UUID]:
        expired = select(ObjectRow.key).where(ObjectRow.loose_from <= now)
        return list(self._session.scalars(expired.order_by(ObjectRow.loose_from).limit(limit)))

    def delete(self, keys: Sequence[UUID]) -> None:
        self._session.execute(delete(ObjectRow).where(ObjectRow.key.in_(keys)))


class SqlObjectChunks:
    """Bytes of files, in chunks."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: UUID, position: int, data: bytes) -> None:
        self._session.execute(insert(ObjectChunkRow).values(key=key, position=position, data=data))

    def get(self, key: UUID, position: int) -> bytes | None:
        return self._session.scalar(
            select(ObjectChunkRow.data).where(ObjectChunkRow.key == key, ObjectChunkRow.position == position)
        )

    def delete(self, key: UUID) -> None:
        self._session.execute(delete(ObjectChunkRow).where(ObjectChunkRow.key == key))
