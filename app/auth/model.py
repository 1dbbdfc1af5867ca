"""Domain model of the auth service."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.security.roles import Role


@dataclass(frozen=True)
class User:
    id: UUID
    email: str
    name: str
    password_hash: str
    created_at: datetime
    role: Role = Role.USER
    disabled_at: datetime | None = None
    avatar_id: UUID | None = None
    """Key in the file store."""
    verified_at: datetime | None = None
    """When the e-mail address was verified."""

    @property
    def disabled(self) -> bool:
        """Whether an administrator has locked the account, which prevents log-in."""
        return self.disabled_at is not None

    @property
    def email_verified(self) -> bool:
        return self.verified_at is not None


@dataclass(frozen=True)
class Session:
    """A log-in and all that was refreshed from it: a family of refresh tokens."""

    id: UUID
    user_id: UUID
    created_at: datetime
    last_used_at: datetime
    """Time of the log-in or the last refresh."""
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class RefreshToken:
    """A stored refresh token; of its secret only a hash is stored."""

    id: UUID
    session_id: UUID
    secret_hash: bytes
    expires_at: datetime


@dataclass(frozen=True)
class PasswordReset:
    """A request for a new password. Its user is None if the address has no usable account."""

    id: UUID
    user_id: UUID | None
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_in: int
    """Lifetime of the access token in seconds."""


@dataclass(frozen=True)
class AuditEntry:
    """An action of an administrator, or of a user on their own account (password reset, deletion)."""

    id: UUID
    at: datetime
    actor_id: UUID | None
    """None for a command of the deployment."""
    action: str
    subject_id: UUID | None
    remote: str
    """Address of the client; empty for a command."""
    details: dict[str, str]


@dataclass(frozen=True)
class AuditFilters:
    actor_id: UUID | None = None
    action: str | None = None
    after: datetime | None = None
    """At this time or later."""
    before: datetime | None = None
    """Earlier than this time."""
