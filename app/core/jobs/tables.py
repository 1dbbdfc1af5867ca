"""Tables of background jobs and their files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.partial_index import where
from app.core.database.types import UtcDateTime


class JobRow(Base):
    """A job. `due_at` is when it may be claimed: while it runs, the end of the lease."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[dict[str, object]] = mapped_column(JSON)
    checkpoint: Mapped[dict[str, object]] = mapped_column(JSON)
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int]
    cancelling: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(500))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    announced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[UUID | None]
    unique_key: Mapped[str | None] = mapped_column(String(100))
    traceparent: Mapped[str | None] = mapped_column(String(55))
    rejected: Mapped[bool] = mapped_column(server_default=false())

    __table_args__ = (
        Index("idx_jobs_user_id", "user_id", "id"),
        Index("idx_jobs_state_due", "state", "due_at"),
        Index("idx_jobs_unique_key", "unique_key", unique=True),
        Index("idx_jobs_finished_at", "finished_at", **where("finished_at IS NOT NULL")),
    )


class JobFileRow(Base):
    """A chunk of a job's file, such as its upload or its result."""

    __tablename__ = "job_files"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("idx_job_files_at", "at"),)


class RefusedLineRow(Base):
    """A line that an import rejected."""

    __tablename__ = "job_refused_lines"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(String(200))
