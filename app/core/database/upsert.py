"""INSERT … ON CONFLICT for SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy.orm import Session


def insert_into(session: Session, table: type[Any]) -> Any:
    """Return an INSERT for the session's database that `on_conflict_do_update` and `…_nothing` can be put to.

    A dialect is loaded where it is spoken: PostgreSQL's alone is a tenth of a start on SQLite.
    """
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
