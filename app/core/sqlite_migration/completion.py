"""Completion marker of a PostgreSQL database that takes over the data of a SQLite one."""

from sqlalchemy import Connection, Engine, text

MARK = "carried"
"""Table that is created in the transaction of the copy: it exists if and only if the copy is complete."""


class CopyCompletion:
    """Whether the copy from SQLite is complete; until then the database must not be used.

    Args:
        engine: of the PostgreSQL database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._complete = False

    def complete(self) -> bool:
        """Return whether the copy is complete: queries the database until it is, and then remembers it."""
        if not self._complete:
            with self._engine.connect() as connection:
                self._complete = is_complete(connection)
        return self._complete


def is_complete(connection: Connection) -> bool:
    """Return whether the completion marker exists."""
    return bool(connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": MARK}))


def mark_complete(connection: Connection, rows: int) -> None:
    """Create the completion marker, with the time and the number of rows for diagnosis."""
    connection.execute(text(f"CREATE TABLE {MARK} (at timestamptz NOT NULL DEFAULT now(), rows bigint NOT NULL)"))
    connection.execute(text(f"INSERT INTO {MARK} (rows) VALUES (:rows)"), {"rows": rows})
