"""Many rows at once: by COPY into PostgreSQL, by one prepared INSERT into SQLite."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
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

CHUNK = 500
"""Rows that COPY is given at a time."""


def add_tasks(session: Session, user_id: UUID, tasks: Iterable[Task]) -> None:
    """Store new tasks of one user.

    Args:
        tasks: asked for one by one while PostgreSQL stores those before: so two processors share the work. Whoever
            makes them must not use the session meanwhile.
    """
    touch(session, user_id)
    tagged: list[dict[str, object]] = []

    def rows() -> Iterator[dict[str, object]]:
        for task in tasks:
            tagged.extend({"task_id": task.id, "tag": tag, "user_id": user_id} for tag in task.tags)
            yield values_of(task)

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
    statement = f"COPY {table.__tablename__} ({', '.join(first)}) FROM STDIN"
    session.connection().exec_driver_sql(statement, execution_options={COPIED: CopySource(every)})


class CopySource:
    """The file that COPY reads: rows in its text format."""

    def __init__(self, rows: Iterator[dict[str, object]]) -> None:
        self._lines = ("\t".join([FORMS[type(value)](value) for value in row.values()]) + "\n" for row in rows)

    def read(self, _size: int) -> str:
        return "".join(islice(self._lines, CHUNK))


def _escaped(text: str) -> str:
    # four times as fast as str.translate, which asks for each character
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


FORMS: dict[type, Callable[[Any], str]] = {
    str: _escaped,
    int: str,
    UUID: lambda value: value.hex,
    datetime: lru_cache(maxsize=1024)(datetime.isoformat),  # tasks that are stored together bear the same few
    type(None): lambda _nothing: "\\N",
}
"""By type: how COPY reads a value."""
