"""Ports of the auth service."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.auth.model import AuditEntry, AuditFilters, PasswordReset, RefreshToken, Session, User
from app.core.events.model import DeletedUsers, Outbox
from app.core.mail import Outgoing
from app.core.objects.model import Objects
from app.core.security.roles import Role


class Users(Protocol):
    def add(self, user: User) -> None:
        """Store a new user. Raises ConflictError if the e-mail address is taken."""

    def by_email(self, email: str) -> User | None: ...

    def by_id(self, user_id: UUID) -> User | None: ...

    def locked(self, user_id: UUID) -> User | None:
        """Return the account with its row locked (SELECT … FOR UPDATE)."""

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None: ...

    def set_name(self, user_id: UUID, name: str) -> None: ...

    def set_role(self, user_id: UUID, role: Role) -> None: ...

    def set_disabled(self, user_id: UUID, since: datetime | None) -> None: ...

    def unverified(self, after: UUID | None, limit: int) -> list[UUID]:
        """Return up to `limit` enabled accounts with an unverified address, oldest first, past `after`."""

    def set_verified(self, user_id: UUID, at: datetime) -> None: ...

    def swap_avatar(self, user_id: UUID, avatar_id: UUID | None) -> UUID | None:
        """Replace an account's avatar, None for none, and return the former one; serialised by the row lock."""

    def delete(self, user_id: UUID) -> None:
        """Delete an account with its sessions, refresh tokens and password resets."""

    def locked_administrators(self) -> set[UUID]:
        """Return the enabled administrators with their rows locked.

        Must be called before any other account is locked, for one order of locks.
        """

    def find(self, q: str, after: UUID | None, limit: int) -> list[User]:
        """Return up to `limit` accounts whose address contains `q`, newest first, older than `after`."""


class Sessions(Protocol):
    def add(self, session: Session) -> None: ...

    def get(self, session_id: UUID) -> Session | None: ...

    def of_user(self, user_id: UUID, now: datetime) -> list[Session]:
        """Return the sessions that can still be refreshed, the newest first."""

    def touch(self, session_id: UUID, now: datetime) -> None:
        """Set the time of the session's last use."""

    def revoke(self, session_id: UUID, now: datetime) -> bool:
        """Mark a session as ended. Of concurrent callers, exactly one gets True."""

    def add_refresh_token(self, token: RefreshToken) -> None: ...

    def refresh_token(self, token_id: UUID) -> RefreshToken | None: ...

    def use_refresh_token(self, token_id: UUID, now: datetime) -> datetime | None:
        """Mark a token as used. Return the time of its first use: None for exactly one of concurrent callers."""


class PasswordResets(Protocol):
    def add(self, reset: PasswordReset) -> None: ...

    def get(self, reset_id: UUID) -> PasswordReset | None: ...

    def use(self, reset_id: UUID, now: datetime) -> bool:
        """Mark an unexpired reset as used. Of concurrent callers, exactly one gets True."""

    def void(self, user_id: UUID, now: datetime) -> None:
        """Invalidate all of this user's resets."""


class Audit(Protocol):
    """Audit log of administration, password resets and deletions. Append-only, enforced by triggers."""

    def add(self, entry: AuditEntry) -> None: ...

    def find(self, filters: AuditFilters, after: UUID | None, limit: int) -> list[AuditEntry]:
        """Return up to `limit` entries, newest first, older than `after`."""

    def oldest(
        self, filters: AuditFilters, after: AuditEntry | None, until: AuditEntry, limit: int
    ) -> list[AuditEntry]:
        """Return up to `limit` entries, oldest first, newer than `after`, up to and including `until`."""


class AuthWork(Protocol):
    """The auth tables within one transaction."""

    @property
    def users(self) -> Users: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def resets(self) -> PasswordResets: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def objects(self) -> Objects: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def deleted_users(self) -> DeletedUsers: ...

    @property
    def mails(self) -> Outgoing: ...


class AuthStorage(Protocol):
    def read(self) -> AbstractContextManager[AuthWork]:
        """Open a read-only transaction."""

    def read_of(self, user_id: UUID) -> AbstractContextManager[AuthWork]:
        """Open a read-only transaction with read-your-writes for this user, perhaps on a replica."""

    def write(self) -> AbstractContextManager[AuthWork]:
        """Open a transaction that commits when its block ends without an exception."""


class PasswordHashing(Protocol):
    def hash(self, password: str) -> str: ...

    def verify(self, password_hash: str | None, password: str) -> bool: ...

    def outdated(self, password_hash: str, password: str) -> bool: ...


class TokenIssuer(Protocol):
    def issue(self, user_id: UUID, session_id: UUID, token_id: UUID, role: str, now: datetime) -> str: ...


class Denylist(Protocol):
    """Ended sessions, whose access tokens are rejected before they expire."""

    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Reject the session from now on. Raises UnavailableError if that can't be guaranteed."""
