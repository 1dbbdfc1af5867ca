"""Files of jobs, kept in the database in pieces: whichever process runs the job can read them, and a transaction covers
them too."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.core.jobs.tables import JobFileRow, RefusedLineRow


class SqlFiles:
    def __init__(self, session: Session) -> None:
        self._session = session

    def append(self, job_id: UUID, name: str, position: int, data: bytes, now: datetime) -> None:
        """Store the piece at a position, counted from 0."""
        self._session.execute(insert(JobFileRow).values(job_id=job_id, name=name, position=position, data=data, at=now))

    def chunk(self, job_id: UUID, name: str, position: int) -> bytes | None:
        """Return a piece, or None past the last one."""
        return self._session.scalar(
            select(JobFileRow.data).where(
                JobFileRow.job_id == job_id, JobFileRow.name == name, JobFileRow.position == position
            )
        )

    def delete(self, job_id: UUID, name: str) -> None:
        self._session.execute(delete(JobFileRow).where(JobFileRow.job_id == job_id, JobFileRow.name == name))

    def size(self, job_id: UUID, name: str) -> tuple[int, int]:
        """Return how many chunks of a file there are, and how many bytes they have together."""
        length = func.length(JobFileRow.data)
        of_file = select(func.count(), func.coalesce(func.sum(length), 0)).where(
            JobFileRow.job_id == job_id, JobFileRow.name == name
        )
        chunks, size = self._session.execute(of_file).one()
        return int(chunks), int(size)

    def add_refused_lines(self, job_id: UUID, lines: Sequence[tuple[int, str, str]]) -> None:
        """Note refused lines: number, reason, and how the line begins."""
        if lines:
            self._session.execute(
                insert(RefusedLineRow),
                [{"job_id": job_id, "line": line, "reason": reason, "text": text} for line, reason, text in lines],
            )

    def refused_lines(self, job_id: UUID, after: int, limit: int) -> list[tuple[int, str, str]]:
        """Return refused lines past a line number, in order."""
        found = (
            select(RefusedLineRow.line, RefusedLineRow.reason, RefusedLineRow.text)
            .where(RefusedLineRow.job_id == job_id, RefusedLineRow.line > after)
            .order_by(RefusedLineRow.line)
            .limit(limit)
        )
        return [(line, reason, text) for line, reason, text in self._session.execute(found)]
