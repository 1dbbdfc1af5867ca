"""What the auth service speaks of."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class User:
    id: UUID
    email: str
    name: str
    password_hash: str
    created_at: datetime


@dataclass(frozen=True)
class Session:
    """One log-in and everything refreshed from it: the family of its refresh tokens."""

    id: UUID
    user_id: UUID
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token as stored: its secret is known by hash alone."""

    id: UUID
    session_id: UUID
    secret_hash: bytes
    expires_at: datetime


@dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds that the access token is good for."""
