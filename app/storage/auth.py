"""Repositories of the auth service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as SqlSession

from app.platform.errors import ConflictError
from app.services.auth.model import RefreshToken, Session, User
from app.storage.models import RefreshTokenRow, SessionRow, UserRow


class SqlUsers:
    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def add(self, user: User) -> None:
        row = UserRow(
            id=user.id,
            email=user.email,
            name=user.name,
            password_hash=user.password_hash,
            created_at=user.created_at,
        )
        self._session.add(row)
        try:
            self._session.flush()
        except IntegrityError as error:
            raise ConflictError("The e-mail address has an account already.") from error

    def by_email(self, email: str) -> User | None:
        return _user(self._session.scalar(select(UserRow).where(UserRow.email == email)))

    def by_id(self, user_id: UUID) -> User | None:
        return _user(self._session.get(UserRow, user_id))

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None:
        self._session.execute(update(UserRow).where(UserRow.id == user_id).values(password_hash=password_hash))


class SqlSessions:
    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def add(self, session: Session) -> None:
        self._session.add(SessionRow(id=session.id, user_id=session.user_id, created_at=session.created_at))
        self._session.flush()

    def get(self, session_id: UUID) -> Session | None:
        row = self._session.get(SessionRow, session_id)
        return Session(row.id, row.user_id, row.created_at, row.revoked_at) if row else None

    def revoke(self, session_id: UUID, now: datetime) -> None:
        self._session.execute(
            update(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.revoked_at.is_(None))
            .values(revoked_at=now)
        )

    def add_refresh_token(self, token: RefreshToken) -> None:
        row = RefreshTokenRow(
            id=token.id, session_id=token.session_id, secret_hash=token.secret_hash, expires_at=token.expires_at
        )
        self._session.add(row)
        self._session.flush()

    def refresh_token(self, token_id: UUID) -> RefreshToken | None:
        row = self._session.get(RefreshTokenRow, token_id)
        return RefreshToken(row.id, row.session_id, row.secret_hash, row.expires_at) if row else None

    def use_refresh_token(self, token_id: UUID, now: datetime) -> bool:
        # One statement decides: the row lock lets a single caller see it unused.
        result = self._session.execute(
            update(RefreshTokenRow)
            .where(RefreshTokenRow.id == token_id, RefreshTokenRow.used_at.is_(None))
            .values(used_at=now)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 tells the type checker what an UPDATE returns
        return result.rowcount == 1


def _user(row: UserRow | None) -> User | None:
    return User(row.id, row.email, row.name, row.password_hash, row.created_at) if row else None
