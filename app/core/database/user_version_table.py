"""Table of user versions."""

from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base


class UserVersionRow(Base):
    """Number of changes to the data that a user sees; without Redis, cached responses are keyed by it."""

    __tablename__ = "user_versions"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
