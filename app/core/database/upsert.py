"""INSERT … ON CONFLICT for SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy.orm import Session


def insert_into(session: Session, table: type[Any]) -> Any:
    """Return an INSERT in the session's dialect, with `on_conflict_do_update` and `on_conflict_do_nothing`.

    Dialects are imported lazily: PostgreSQL's would take a tenth of the start-up time on SQLite.
    """
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
