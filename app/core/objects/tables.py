"""Tables of uploaded files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.partial_index import where
from app.core.database.types import UtcDateTime


class ObjectRow(Base):
    """A file. `loose_from` is the expiry time of an unlinked file, after which it is deleted; null for a linked one."""

    __tablename__ = "objects"

    key: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    loose_from: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_objects_loose_from", "loose_from", **where("loose_from IS NOT NULL")),)


class ObjectChunkRow(Base):
    """A chunk of a file whose bytes are stored in the database."""

    __tablename__ = "object_pieces"

    key: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
