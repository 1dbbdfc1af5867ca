"""Completion marker of a PostgreSQL database that has taken over from SQLite."""

from sqlalchemy import Connection, Engine, text

MARK = "carried"
"""A table that is made in the transaction that carries the data: it is there when, and only when, all of that is."""


class CopyCompletion:
    """Says whether a database has the data that it is to take over. Until then nobody may use it.

    Args:
        engine: of the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._complete = False

    def complete(self) -> bool:
        """Ask the database, until it has once said yes."""
        if not self._complete:
            with self._engine.connect() as connection:
                self._complete = is_complete(connection)
        return self._complete


def is_complete(connection: Connection) -> bool:
    """Tell whether the data is there."""
    return bool(connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": MARK}))


def mark_complete(connection: Connection, rows: int) -> None:
    """Note that the data is there, and for who looks later, when it came and how much it was."""
    connection.execute(text(f"CREATE TABLE {MARK} (at timestamptz NOT NULL DEFAULT now(), rows bigint NOT NULL)"))
    connection.execute(text(f"INSERT INTO {MARK} (rows) VALUES (:rows)"), {"rows": rows})
