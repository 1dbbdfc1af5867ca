"""Tables of the auth service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.database.base import new_metadata
from app.core.database.migrate import Branch
from app.core.database.partial_index import where
from app.core.database.types import UtcDateTime


class AuthBase(DeclarativeBase):
    metadata = new_metadata()


class UserRow(AuthBase):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    role: Mapped[str] = mapped_column(String(20), server_default="user")
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    avatar_id: Mapped[UUID | None]
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_users_email", "email", unique=True),)


class SessionRow(AuthBase):
    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # NULL in rows of a release before this column.
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("idx_sessions_user_id", "user_id"),
        Index("idx_sessions_last_used_at", "last_used_at"),
        Index("idx_sessions_revoked_at", "revoked_at", **where("revoked_at IS NOT NULL")),
    )


class RefreshTokenRow(AuthBase):
    __tablename__ = "refresh_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("idx_refresh_tokens_session_id", "session_id"),
        Index("idx_refresh_tokens_expires_at", "expires_at"),
    )


class PasswordResetRow(AuthBase):
    """A password reset. The token of the link is derived from the identifier and a key, and is not stored."""

    __tablename__ = "password_resets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("idx_password_resets_user_id", "user_id"),
        Index("idx_password_resets_expires_at", "expires_at"),
    )


class AuditRow(AuthBase):
    """An audit entry. Triggers reject updates and deletions."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(50))
    subject_id: Mapped[UUID | None]
    remote: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, str]] = mapped_column(JSON)

    __table_args__ = (
        # pages of all entries, of one actor, and of one action, however rare
        Index("idx_audit_log_at_id", "at", "id"),
        Index("idx_audit_log_actor_id_at_id", "actor_id", "at", "id"),
        Index("idx_audit_log_action_at_id", "action", "at", "id"),
        # entries about one account
        Index("idx_audit_log_subject_id", "subject_id", "id"),
    )


BRANCH = Branch("auth", "auth_0001", AuthBase.metadata)
