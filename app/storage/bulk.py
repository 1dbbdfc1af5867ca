"""Many rows at once: by COPY into PostgreSQL, by one prepared INSERT into SQLite."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.services.tasks.model import Task
from app.storage.models import TaskRow, TaskTagRow
from app.storage.tasks import values_of
from app.storage.versions import touch

ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def add_tasks(session: Session, user_id: UUID, tasks: Sequence[Task]) -> None:
    """Store new tasks of one user."""
    if not tasks:
        return
    touch(session, user_id)
    _add(session, TaskRow, [values_of(task) for task in tasks])
    tags = [{"task_id": task.id, "tag": tag, "user_id": user_id} for task in tasks for tag in task.tags]
    if tags:
        _add(session, TaskTagRow, tags)


def _add(session: Session, table: type[TaskRow | TaskTagRow], rows: list[dict[str, object]]) -> None:
    if session.get_bind().dialect.name != "postgresql":
        session.execute(insert(table), rows)
        return
    lines = io.StringIO("".join("\t".join(map(_copied, row.values())) + "\n" for row in rows))
    cursor: Any = session.connection().connection.cursor()  # the driver's own
    cursor.copy_expert(f"COPY {table.__tablename__} ({', '.join(rows[0])}) FROM STDIN", lines)
    cursor.close()


def _copied(value: object) -> str:
    """Return a value in COPY's text format."""
    if value is None:
        return "\\N"
    return value.isoformat() if isinstance(value, datetime) else str(value).translate(ESCAPED)
