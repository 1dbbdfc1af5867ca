"""Repositories of due reminders and due dates."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, TextClause, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.tasks.list_statements import COLUMNS, task_of
from app.tasks.model import Task
from app.tasks.tables import OVERDUE_TO_COME, REMINDER_TO_COME, TaskRow

LATEST_NOTICE = timedelta(days=1)
"""How long after a due date it is published at the latest. An older one is history: of an import, or from before the
release that publishes them."""


class _SqlDueTasks:
    """Tasks by a time of theirs that has come.

    Args:
        time: column with the time.
        published_for: column with the time for which an event has been published.
        pending: condition of the partial index.
        oldest: age of the oldest time that counts; None for any.
    """

    def __init__(
        self,
        session: Session,
        time: InstrumentedAttribute[datetime | None],
        published_for: InstrumentedAttribute[datetime | None],
        pending: str,
        oldest: timedelta | None = None,
    ) -> None:
        self._session = session
        self._time = time
        self._published_for = published_for
        self._pending = pending
        self._oldest = oldest

    def any_due(self, now: datetime) -> bool:
        # ORDER BY … LIMIT 1, not EXISTS: for that the planner may choose a sequential scan, since it misestimates how
        # few rows match.
        first = select(self._time).where(*self._pending_at(now)).order_by(self._time).limit(1)
        time = self._session.scalar(first)
        return time is not None and time <= now

    def claim(self, now: datetime, limit: int) -> list[Task]:
        # SKIP LOCKED: a row locked by another transaction is being claimed or changed.
        due = select(*COLUMNS).where(*self._pending_at(now), self._time <= now).order_by(self._time).limit(limit)
        rows = self._session.execute(due.with_for_update(skip_locked=True)).all()
        claimed = update(TaskRow).where(TaskRow.id.in_([row.id for row in rows]))
        values = {self._published_for.key: self._time}
        self._session.execute(claimed.values(values).execution_options(synchronize_session=False))
        return [task_of(row) for row in rows]

    def _pending_at(self, now: datetime) -> tuple[ColumnElement[bool] | TextClause, ...]:
        since = () if self._oldest is None else (self._time > now - self._oldest,)
        return (text(self._pending), *since)


class SqlReminders(_SqlDueTasks):
    def __init__(self, session: Session) -> None:
        super().__init__(session, TaskRow.remind_at, TaskRow.reminded_for, REMINDER_TO_COME)


class SqlDueDates(_SqlDueTasks):
    def __init__(self, session: Session) -> None:
        super().__init__(session, TaskRow.due_at, TaskRow.overdue_for, OVERDUE_TO_COME, LATEST_NOTICE)
