"""Table of ended sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.types import UtcDateTime


class EndedSessionRow(Base):
    """A session that has ended, until the last of its access tokens has expired."""

    __tablename__ = "ended_sessions"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    tokens_expire_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_ended_sessions_tokens_expire_at", "tokens_expire_at"),)
