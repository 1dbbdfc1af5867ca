"""Repository of job files: stored in the database in chunks, so that they are transactional and every worker can read
them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.core.jobs.tables import JobFileRow, RefusedLineRow


class SqlFiles:
    """Job files and rejected lines in the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def append(self, job_id: UUID, name: str, position: int, data: bytes, now: datetime) -> None:
        """Store the chunk at a position, counted from 0."""
        self._session.execute(insert(JobFileRow).values(job_id=job_id, name=name, position=position, data=data, at=now))

    def chunk(self, job_id: UUID, name: str, position: int) -> bytes | None:
        """Return the chunk at a position, or None past the last one."""
        return self._session.scalar(
            select(JobFileRow.data).where(
                JobFileRow.job_id == job_id, JobFileRow.name == name, JobFileRow.position == position
            )
        )

    def delete(self, job_id: UUID, name: str) -> None:
        self._session.execute(delete(JobFileRow).where(JobFileRow.job_id == job_id, JobFileRow.name == name))

    def size(self, job_id: UUID, name: str) -> tuple[int, int]:
        """Return the number of chunks of a file, and of their bytes."""
        length = func.length(JobFileRow.data)
        of_file = select(func.count(), func.coalesce(func.sum(length), 0)).where(
            JobFileRow.job_id == job_id, JobFileRow.name == name
        )
        chunks, size = self._session.execute(of_file).one()
        return int(chunks), int(size)

    def add_refused_lines(self, job_id: UUID, lines: Sequence[tuple[int, str, str]]) -> None:
        """Store rejected lines: line number, reason, and the beginning of the line."""
        if lines:
            self._session.execute(
                insert(RefusedLineRow),
                [{"job_id": job_id, "line": line, "reason": reason, "text": text} for line, reason, text in lines],
            )

    def refused_lines(self, job_id: UUID, after: int, limit: int) -> list[tuple[int, str, str]]:
        """Return up to `limit` rejected lines after a line number, in order."""
        found = (
            select(RefusedLineRow.line, RefusedLineRow.reason, RefusedLineRow.text)
            .where(RefusedLineRow.job_id == job_id, RefusedLineRow.line > after)
            .order_by(RefusedLineRow.line)
            .limit(limit)
        )
        return [(line, reason, text) for line, reason, text in self._session.execute(found)]
