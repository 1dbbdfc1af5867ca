"""Repository of due reminders."""

from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.tasks.list_statements import COLUMNS, task_of
from app.tasks.model import Task
from app.tasks.tables import REMINDER_TO_COME, TaskRow


class SqlReminders:
    def __init__(self, session: Session) -> None:
        self._session = session

    def any_due(self, now: datetime) -> bool:
        # ORDER BY … LIMIT 1, not EXISTS: for that the planner may choose a sequential scan, since it misestimates how
        # few rows match.
        first = select(TaskRow.remind_at).where(text(REMINDER_TO_COME)).order_by(TaskRow.remind_at).limit(1)
        remind_at = self._session.scalar(first)
        return remind_at is not None and remind_at <= now

    def claim(self, now: datetime, limit: int) -> list[Task]:
        # SKIP LOCKED: a row locked by another transaction is being claimed or changed.
        due = (
            select(*COLUMNS)
            .where(text(REMINDER_TO_COME), TaskRow.remind_at <= now)
            .order_by(TaskRow.remind_at)
            .limit(limit)
        )
        rows = self._session.execute(due.with_for_update(skip_locked=True)).all()
        claimed = update(TaskRow).where(TaskRow.id.in_([row.id for row in rows]))
        self._session.execute(
            claimed.values(reminded_for=TaskRow.remind_at).execution_options(synchronize_session=False)
        )
        return [task_of(row) for row in rows]
