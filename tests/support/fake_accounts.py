"""Fakes for the rules of accounts: repositories in memory, and hashing that costs nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from app.auth.model import AuditEntry, AuditFilters, PasswordReset, RefreshToken, Session, User
from app.core.errors import ConflictError, UnavailableError
from app.core.security.roles import Role


@dataclass
class FakeUsers:
    rows: dict[UUID, User] = field(default_factory=dict)

    def add(self, user: User) -> None:
        if self.by_email(user.email):
            raise ConflictError("taken")
        self.rows[user.id] = user

    def by_email(self, email: str) -> User | None:
        return next((user for user in self.rows.values() if user.email == email), None)

    def by_id(self, user_id: UUID) -> User | None:
        return self.rows.get(user_id)

    def locked(self, user_id: UUID) -> User | None:
        return self.by_id(user_id)

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None:
        self.rows[user_id] = replace(self.rows[user_id], password_hash=password_hash)

    def set_name(self, user_id: UUID, name: str) -> None:
        self.rows[user_id] = replace(self.rows[user_id], name=name)

    def set_role(self, user_id: UUID, role: Role) -> None:
        self.rows[user_id] = replace(self.rows[user_id], role=role)

    def set_disabled(self, user_id: UUID, since: datetime | None) -> None:
        self.rows[user_id] = replace(self.rows[user_id], disabled_at=since)

    def unverified(self, after: UUID | None, limit: int) -> list[UUID]:
        waiting = (user.id for user in self.rows.values() if not user.email_verified and not user.disabled)
        return sorted(user_id for user_id in waiting if after is None or user_id > after)[:limit]

    def set_verified(self, user_id: UUID, at: datetime) -> None:
        self.rows[user_id] = replace(self.rows[user_id], verified_at=at)

    def swap_avatar(self, user_id: UUID, avatar_id: UUID | None) -> UUID | None:
        user = self.rows[user_id]
        self.rows[user_id] = replace(user, avatar_id=avatar_id)
        return user.avatar_id

    def delete(self, user_id: UUID) -> None:
        del self.rows[user_id]

    def locked_administrators(self) -> set[UUID]:
        return {user.id for user in self.rows.values() if user.role is Role.ADMIN and not user.disabled}

    def find(self, q: str, after: UUID | None, limit: int) -> list[User]:
        """Newest first, unfiltered: filters are tested against the database."""
        del q, after
        return sorted(self.rows.values(), key=lambda user: user.id, reverse=True)[:limit]


@dataclass
class FakeSessions:
    rows: dict[UUID, Session] = field(default_factory=dict)
    tokens: dict[UUID, RefreshToken] = field(default_factory=dict)
    used: dict[UUID, datetime] = field(default_factory=dict)

    def add(self, session: Session) -> None:
        self.rows[session.id] = session

    def get(self, session_id: UUID) -> Session | None:
        return self.rows.get(session_id)

    def of_user(self, user_id: UUID, now: datetime) -> list[Session]:
        del now
        return [session for session in self.rows.values() if session.user_id == user_id and not session.revoked_at]

    def touch(self, session_id: UUID, now: datetime) -> None:
        self.rows[session_id] = replace(self.rows[session_id], last_used_at=now)

    def revoke(self, session_id: UUID, now: datetime) -> bool:
        ended = self.rows[session_id].revoked_at
        self.rows[session_id] = replace(self.rows[session_id], revoked_at=ended or now)
        return ended is None

    def add_refresh_token(self, token: RefreshToken) -> None:
        self.tokens[token.id] = token

    def refresh_token(self, token_id: UUID) -> RefreshToken | None:
        return self.tokens.get(token_id)

    def use_refresh_token(self, token_id: UUID, now: datetime) -> datetime | None:
        used_at = self.used.get(token_id)
        self.used.setdefault(token_id, now)
        return used_at


@dataclass
class FakeAudit:
    rows: list[AuditEntry] = field(default_factory=list)

    def add(self, entry: AuditEntry) -> None:
        self.rows.append(entry)

    def find(self, filters: AuditFilters, after: UUID | None, limit: int) -> list[AuditEntry]:
        del filters, after
        return self.rows[::-1][:limit]

    def oldest(
        self, filters: AuditFilters, after: AuditEntry | None, until: AuditEntry, limit: int
    ) -> list[AuditEntry]:
        del filters
        start = self.rows.index(after) + 1 if after else 0
        return self.rows[start : self.rows.index(until) + 1][:limit]


@dataclass
class FakeResets:
    rows: dict[UUID, PasswordReset] = field(default_factory=dict)

    def add(self, reset: PasswordReset) -> None:
        self.rows[reset.id] = reset

    def get(self, reset_id: UUID) -> PasswordReset | None:
        return self.rows.get(reset_id)

    def use(self, reset_id: UUID, now: datetime) -> bool:
        reset = self.rows[reset_id]
        good = reset.used_at is None and reset.expires_at > now
        self.rows[reset_id] = replace(reset, used_at=reset.used_at or now)
        return good

    def void(self, user_id: UUID, now: datetime) -> None:
        for reset in [row for row in self.rows.values() if row.user_id == user_id]:
            self.use(reset.id, now)


@dataclass
class FakeDeletedUsers:
    rows: dict[UUID, datetime] = field(default_factory=dict)

    def add(self, user_id: UUID, at: datetime) -> None:
        self.rows.setdefault(user_id, at)

    def among(self, user_ids: Collection[UUID]) -> set[UUID]:
        return self.rows.keys() & set(user_ids)


@dataclass
class FakeMails:
    queued: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def add(self, kind: str, parameters: Mapping[str, str]) -> None:
        self.queued.append((kind, parameters))


class FakePasswords:
    """Hashes by turning round; counts its calls, for the rule of equal time."""

    def __init__(self) -> None:
        self.verified = 0
        self.scheme = "v1"

    def hash(self, password: str) -> str:
        return f"{self.scheme}:{password[::-1]}"

    def verify(self, password_hash: str | None, password: str) -> bool:
        self.verified += 1
        return password_hash is not None and password_hash.partition(":")[2] == password[::-1]

    def outdated(self, password_hash: str, password: str) -> bool:
        del password
        return not password_hash.startswith(self.scheme)


class FakeTokens:
    def issue(self, user_id: UUID, session_id: UUID, token_id: UUID, role: str, now: datetime) -> str:
        return f"{user_id}/{session_id}/{token_id}/{role}/{now.isoformat()}"


class FakeDenylist:
    def __init__(self) -> None:
        self.entries: set[UUID] = set()
        self.away = False

    def deny(self, user_id: UUID, session_id: UUID) -> None:  # noqa: ARG002 sessions are unique by themselves
        if self.away:
            raise UnavailableError("away")
        self.entries.add(session_id)
