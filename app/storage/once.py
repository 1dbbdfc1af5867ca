"""Repository of requests that clients have named."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.platform.errors import ConflictError
from app.services.tasks.model import OnceKey
from app.services.tasks.once import REMEMBERED
from app.storage.models.tasks import OnceRow


class SqlOnce:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: UUID, key: str, since: datetime) -> tuple[str, Any] | None:
        row = self._session.execute(
            select(OnceRow.digest, OnceRow.result).where(
                OnceRow.user_id == user_id, OnceRow.key == key, OnceRow.created_at >= since
            )
        ).first()
        return (row.digest, row.result) if row else None

    def add(self, user_id: UUID, key: OnceKey, result: Any, now: datetime) -> None:
        # What nobody asks for any more goes with the user's next request.
        self._session.execute(delete(OnceRow).where(OnceRow.user_id == user_id, OnceRow.created_at < now - REMEMBERED))
        self._session.add(OnceRow(user_id=user_id, key=key.key, digest=key.digest, result=result, created_at=now))
        try:
            self._session.flush()
        except IntegrityError as error:
            raise ConflictError("The same request is being worked on.") from error
