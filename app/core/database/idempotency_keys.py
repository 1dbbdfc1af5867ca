"""Repository of idempotency keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.database.batches import delete_some
from app.core.database.idempotency_key_table import IdempotencyKeyRow as Row
from app.core.errors import ConflictError
from app.core.idempotency import RETENTION, IdempotencyKey


class SqlIdempotencyKeys:
    """Idempotency keys in the database, each with the digest and the result of its request."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: UUID, key: str, since: datetime) -> tuple[str, Any] | None:
        row = self._session.execute(
            select(Row.digest, Row.result).where(Row.user_id == user_id, Row.key == key, Row.created_at >= since)
        ).first()
        return (row.digest, row.result) if row else None

    def add(self, user_id: UUID, key: IdempotencyKey, result: Any, now: datetime) -> None:
        # An expired key that the hourly cleaning has not deleted yet may be used again.
        old = (Row.user_id == user_id, Row.key == key.key, Row.created_at < now - RETENTION)
        self._session.execute(delete(Row).where(*old))
        self._session.add(Row(user_id=user_id, key=key.key, digest=key.digest, result=result, created_at=now))
        try:
            self._session.flush()
        except IntegrityError as error:
            raise ConflictError("The same request is being worked on.") from error

    def delete_of(self, user_id: UUID, limit: int) -> int:
        """Delete up to `limit` keys of a user; return the number deleted."""
        return delete_some(self._session, Row, limit, Row.user_id == user_id)
