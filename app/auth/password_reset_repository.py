"""Repository of password resets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from app.auth.model import PasswordReset
from app.auth.tables import PasswordResetRow
from app.core.database.row_count import changed


class SqlPasswordResets:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, reset: PasswordReset) -> None:
        self._session.execute(insert(PasswordResetRow).values(**vars(reset)))

    def get(self, reset_id: UUID) -> PasswordReset | None:
        row = self._session.get(PasswordResetRow, reset_id)
        return PasswordReset(row.id, row.user_id, row.expires_at, row.used_at) if row else None

    def use(self, reset_id: UUID, now: datetime) -> bool:
        # A single UPDATE: by the row lock, exactly one of concurrent callers finds the reset unused.
        good = (
            PasswordResetRow.id == reset_id,
            PasswordResetRow.used_at.is_(None),
            PasswordResetRow.expires_at > now,
        )
        return changed(self._session.execute(update(PasswordResetRow).where(*good).values(used_at=now))) == 1

    def void(self, user_id: UUID, now: datetime) -> None:
        unused = (PasswordResetRow.user_id == user_id, PasswordResetRow.used_at.is_(None))
        self._session.execute(update(PasswordResetRow).where(*unused).values(used_at=now))
