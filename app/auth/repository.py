"""Repositories of the auth service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as SqlSession

from app.auth.model import RefreshToken, Session, User
from app.auth.tables import RefreshTokenRow, SessionRow, UserRow
from app.core.database.row_count import changed
from app.core.database.user_versions import touch
from app.core.errors import ConflictError
from app.core.security.roles import Role
from app.core.text import normalise_email

# Built once: without Redis it is part of every request.
ACTIVE_SESSION = select(SessionRow.id).where(
    SessionRow.id == bindparam("session_id"),
    SessionRow.user_id == bindparam("user_id"),
    SessionRow.revoked_at.is_(None),
)


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
            role=user.role,
            disabled_at=user.disabled_at,
        )
        self._session.add(row)
        try:
            self._session.flush()
        except IntegrityError as error:
            raise ConflictError("The e-mail address has an account already.") from error

    def by_email(self, email: str) -> User | None:
        row = self._session.scalar(select(UserRow).where(UserRow.email == email))
        return _user(row) if row else None

    def by_id(self, user_id: UUID) -> User | None:
        row = self._session.get(UserRow, user_id)
        return _user(row) if row else None

    def locked(self, user_id: UUID) -> User | None:
        # SQLite has no row locks and needs none: a write transaction is exclusive from its beginning.
        row = self._session.get(UserRow, user_id, with_for_update={"key_share": True})
        return _user(row) if row else None

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None:
        self._set(user_id, password_hash=password_hash)

    def set_name(self, user_id: UUID, name: str) -> None:
        self._set(user_id, name=name)

    def set_role(self, user_id: UUID, role: Role) -> None:
        self._set(user_id, role=role)

    def set_disabled(self, user_id: UUID, since: datetime | None) -> None:
        self._set(user_id, disabled_at=since)

    def unverified(self, after: UUID | None, limit: int) -> list[UUID]:
        waiting = select(UserRow.id).where(UserRow.verified_at.is_(None), UserRow.disabled_at.is_(None))
        if after is not None:
            waiting = waiting.where(UserRow.id > after)
        return list(self._session.scalars(waiting.order_by(UserRow.id).limit(limit)))

    def set_verified(self, user_id: UUID, at: datetime) -> None:
        self._set(user_id, verified_at=at)

    def swap_avatar(self, user_id: UUID, avatar_id: UUID | None) -> UUID | None:
        former = self._session.scalar(select(UserRow.avatar_id).where(UserRow.id == user_id).with_for_update())
        self._set(user_id, avatar_id=avatar_id)
        return former

    def delete(self, user_id: UUID) -> None:
        # Sessions, refresh tokens and password resets are deleted by ON DELETE CASCADE.
        touch(self._session, user_id)
        self._session.execute(delete(UserRow).where(UserRow.id == user_id))

    def locked_administrators(self) -> set[UUID]:
        # Locked in one order, against deadlocks. A caller that waited sees the rows as committed by the other.
        enabled = select(UserRow.id).where(UserRow.role == Role.ADMIN, UserRow.disabled_at.is_(None))
        return set(self._session.scalars(enabled.order_by(UserRow.id).with_for_update(key_share=True)))

    def find(self, q: str, after: UUID | None, limit: int) -> list[User]:
        statement = select(UserRow).order_by(UserRow.id.desc()).limit(limit)
        if q:
            statement = statement.where(UserRow.email.contains(normalise_email(q), autoescape=True))
        if after is not None:
            statement = statement.where(UserRow.id < after)
        return [_user(row) for row in self._session.scalars(statement)]

    def _set(self, user_id: UUID, **values: object) -> None:
        touch(self._session, user_id)
        self._session.execute(update(UserRow).where(UserRow.id == user_id).values(**values))


class SqlSessions:
    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def add(self, session: Session) -> None:
        row = SessionRow(
            id=session.id,
            user_id=session.user_id,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
        )
        self._session.add(row)
        self._session.flush()

    def active(self, user_id: UUID, session_id: UUID) -> bool:
        """Return whether this is a session of the user that has not ended."""
        ids = {"session_id": session_id, "user_id": user_id}
        return self._session.scalar(ACTIVE_SESSION, ids) is not None

    def get(self, session_id: UUID) -> Session | None:
        row = self._session.get(SessionRow, session_id)
        return _session(row) if row else None

    def of_user(self, user_id: UUID, now: datetime) -> list[Session]:
        refreshable = exists().where(
            RefreshTokenRow.session_id == SessionRow.id,
            RefreshTokenRow.used_at.is_(None),
            RefreshTokenRow.expires_at > now,
        )
        mine = (SessionRow.user_id == user_id, SessionRow.revoked_at.is_(None), refreshable)
        return [
            _session(row)
            for row in self._session.scalars(select(SessionRow).where(*mine).order_by(SessionRow.id.desc()))
        ]

    def ended_since(
        self, since: datetime, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[tuple[Session, datetime]]:
        """Return up to `limit` sessions that ended at or after a time, and when, in that order, past `after`."""
        found = select(SessionRow).where(SessionRow.revoked_at >= since)
        if after is not None:
            at, session_id = after
            same = and_(SessionRow.revoked_at == at, SessionRow.id > session_id)
            found = found.where(or_(SessionRow.revoked_at > at, same))
        rows = self._session.scalars(found.order_by(SessionRow.revoked_at, SessionRow.id).limit(limit))
        return [(_session(row), row.revoked_at) for row in rows if row.revoked_at]

    def all_of(self, user_id: UUID) -> list[Session]:
        mine = select(SessionRow).where(SessionRow.user_id == user_id).order_by(SessionRow.id.desc())
        return [_session(row) for row in self._session.scalars(mine)]

    def touch(self, session_id: UUID, now: datetime) -> None:
        self._session.execute(update(SessionRow).where(SessionRow.id == session_id).values(last_used_at=now))

    def revoke(self, session_id: UUID, now: datetime) -> bool:
        going = update(SessionRow).where(SessionRow.id == session_id, SessionRow.revoked_at.is_(None))
        return changed(self._session.execute(going.values(revoked_at=now))) == 1

    def add_refresh_token(self, token: RefreshToken) -> None:
        row = RefreshTokenRow(
            id=token.id, session_id=token.session_id, secret_hash=token.secret_hash, expires_at=token.expires_at
        )
        self._session.add(row)
        self._session.flush()

    def refresh_token(self, token_id: UUID) -> RefreshToken | None:
        row = self._session.get(RefreshTokenRow, token_id)
        return RefreshToken(row.id, row.session_id, row.secret_hash, row.expires_at) if row else None

    def use_refresh_token(self, token_id: UUID, now: datetime) -> datetime | None:
        # A single UPDATE: by the row lock, exactly one of concurrent callers finds the token unused.
        result = self._session.execute(
            update(RefreshTokenRow)
            .where(RefreshTokenRow.id == token_id, RefreshTokenRow.used_at.is_(None))
            .values(used_at=now)
        )
        if changed(result) == 1:
            return None
        return self._session.scalar(select(RefreshTokenRow.used_at).where(RefreshTokenRow.id == token_id))


def _user(row: UserRow) -> User:
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        password_hash=row.password_hash,
        created_at=row.created_at,
        role=Role(row.role),
        disabled_at=row.disabled_at,
        avatar_id=row.avatar_id,
        verified_at=row.verified_at,
    )


def _session(row: SessionRow) -> Session:
    return Session(row.id, row.user_id, row.created_at, row.last_used_at or row.created_at, row.revoked_at)
