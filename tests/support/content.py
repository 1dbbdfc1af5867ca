"""Content of a database: insert rows, and read all as the models do."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import DeclarativeBase

from app.auth.tables import AuditRow, SessionRow, UserRow
from app.bootstrap.schema import tables
from app.core.database.engine import Database, connect
from app.tasks.tables import TaskRow, TaskTagRow
from tests.support.settings import make_settings

Content = dict[str, list[tuple[Any, ...]]]


@contextmanager
def connected(url: str, **more: Any) -> Iterator[Database]:
    database = connect(make_settings(url, **more))
    try:
        yield database
    finally:
        database.dispose()


def fill(database: Database, rows: dict[Table, list[dict[str, Any]]]) -> None:
    with database.writer.begin() as connection:
        for table, values in rows.items():
            if values:
                connection.execute(insert(table), values)


def content(database: Database) -> Content:
    """Return every row of every table, as the models read it."""
    with database.reader.begin() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables()}


def row(model: type[DeclarativeBase], **values: Any) -> dict[Table, list[dict[str, Any]]]:
    """Return one row of a table, for `fill`."""
    now = datetime.now(UTC)
    others: dict[type[DeclarativeBase], dict[str, Any]] = {
        UserRow: {
            "id": uuid4(),
            "email": f"{uuid4()}@example.org",
            "name": "Ada",
            "password_hash": "x",
            "role": "user",
        },
        SessionRow: {"id": uuid4()},
        TaskRow: {"id": uuid4(), "user_id": uuid4(), "title": "T", "description": "", "status": "todo", "version": 1}
        | {"attachments": 0, "title_key": "t", "search_text": "t", "updated_at": now},
        TaskTagRow: {"user_id": uuid4()},
        AuditRow: {"id": uuid4(), "at": now, "action": "a", "remote": "", "details": {}},
    }
    created = {"created_at": now} if "created_at" in model.__table__.columns else {}
    return {model.__table__: [{**created, **others[model], **values}]}  # type: ignore[dict-item]
