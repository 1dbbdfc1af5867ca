"""Bulk insert: COPY into PostgreSQL, one prepared INSERT into SQLite."""

from collections.abc import Iterable, Iterator
from itertools import chain
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core.database.copy import copy_into
from app.core.database.user_versions import touch
from app.tasks.model import Task
from app.tasks.repository import values_of
from app.tasks.tables import TaskRow, TaskTagRow


def add_tasks(session: Session, user_id: UUID, tasks: Iterable[Task]) -> None:
    """Store new tasks of one user.

    Args:
        tasks: consumed one by one while PostgreSQL stores the previous ones, so that two processors share the work.
            The iterator must not use the session.
    """
    touch(session, user_id)
    tagged: list[dict[str, object]] = []

    def rows() -> Iterator[dict[str, object]]:
        for task in tasks:
            tagged.extend({"task_id": task.id, "tag": tag, "user_id": user_id} for tag in task.tags)
            # A reminder in the past is marked as sent: an import must not send it.
            missed = task.remind_at if task.remind_at and task.remind_at <= task.created_at else None
            yield {**values_of(task), "reminded_for": missed}

    _add(session, TaskRow, rows())
    _add(session, TaskTagRow, iter(tagged))


def _add(session: Session, table: type[TaskRow | TaskTagRow], rows: Iterator[dict[str, object]]) -> None:
    first = next(rows, None)
    if first is None:
        return
    every = chain([first], rows)
    if session.get_bind().dialect.name != "postgresql":
        session.execute(insert(table), list(every))
        return
    copy_into(session.connection(), table.__tablename__, first, (row.values() for row in every))
