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
    """The key of the file."""
    verified_at: datetime | None = None
    """When its owner showed that they read the mails to its address."""

    @property
    def disabled(self) -> bool:
        """Whether an administrator has locked the account: it can't log in."""
        return self.disabled_at is not None

    @property
    def email_verified(self) -> bool:
        return self.verified_at is not None


@dataclass(frozen=True)
class Session:
    """One log-in and everything refreshed from it: the family of its refresh tokens."""

    id: UUID
    user_id: UUID
    created_at: datetime
    last_used_at: datetime
    """When somebody logged in or refreshed."""
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token as stored: its secret is known by hash alone."""

    id: UUID
    session_id: UUID
    secret_hash: bytes
    expires_at: datetime


@dataclass(frozen=True)
class PasswordReset:
    """A wish for a new password. It has no user when nobody has the address that it was made for."""

    id: UUID
    user_id: UUID | None
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds that the access token is good for."""


@dataclass(frozen=True)
class AuditEntry:
    """What an administrator has done, and to whom; or somebody who showed a link in place of a password."""

    id: UUID
    at: datetime
    actor_id: UUID | None
    """None for whoever runs commands in the deployment itself."""
    action: str
    subject_id: UUID | None
    remote: str
    """The address that the request came from; empty for a command."""
    details: dict[str, str]


@dataclass(frozen=True)
class AuditFilters:
    actor_id: UUID | None = None
    action: str | None = None
    after: datetime | None = None
    """At this time or later."""
    before: datetime | None = None
    """Earlier than this time."""
