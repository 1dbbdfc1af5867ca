"""Many rows at once: by COPY into PostgreSQL, by one prepared INSERT into SQLite."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.services.tasks.model import Task
from app.storage.engine import COPIED
from app.storage.models.tasks import TaskRow, TaskTagRow
from app.storage.tasks import values_of
from app.storage.versions import touch

ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})

CHUNK = 500
"""Rows that COPY is given at a time."""


def add_tasks(session: Session, user_id: UUID, tasks: Sequence[Task]) -> None:
    """Store new tasks of one user."""
    if not tasks:
        return
    touch(session, user_id)
    _add(session, TaskRow, map(values_of, tasks))
    _add(
        session,
        TaskTagRow,
        ({"task_id": task.id, "tag": tag, "user_id": user_id} for task in tasks for tag in task.tags),
    )


def _add(session: Session, table: type[TaskRow | TaskTagRow], rows: Iterator[dict[str, object]]) -> None:
    first = next(rows, None)
    if first is None:
        return
    every = chain([first], rows)
    if session.get_bind().dialect.name != "postgresql":
        session.execute(insert(table), list(every))
        return
    statement = f"COPY {table.__tablename__} ({', '.join(first)}) FROM STDIN"
    session.connection().exec_driver_sql(statement, execution_options={COPIED: CopySource(every)})


class CopySource:
    """The file that COPY reads: rows in its text format, made while the database stores those before."""

    def __init__(self, rows: Iterator[dict[str, object]]) -> None:
        self._lines = ("\t".join([FORMS[type(value)](value) for value in row.values()]) + "\n" for row in rows)

    def read(self, _size: int) -> str:
        return "".join(islice(self._lines, CHUNK))


def _escaped(text: str) -> str:
    # Hardly any text needs it, and to look is cheaper by far than to translate.
    return text if text.isprintable() and "\\" not in text else text.translate(ESCAPED)


FORMS: dict[type, Callable[[Any], str]] = {
    str: _escaped,
    int: str,
    UUID: lambda value: value.hex,
    datetime: datetime.isoformat,
    type(None): lambda _nothing: "\\N",
}
"""By type: how COPY reads a value."""
