"""Table of user versions."""

from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base


class UserVersionRow(Base):
    """Counts the changes of what a user sees; without Redis, answers are kept under it."""

    __tablename__ = "user_versions"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
