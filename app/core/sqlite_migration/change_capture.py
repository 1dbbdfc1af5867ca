"""Change capture on a SQLite database, by triggers, while servers write to it."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Column, LargeBinary, Table

from app.core.database.types import UtcDateTime

CHANGES = "carry_changes"
"""Table of captured changes, which exists during a copy: primary keys of changed rows, as JSON."""

EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}
"""Trigger events, with the row references that are valid for each."""

LOCK_TIMEOUT = 30
"""Seconds to wait for the write lock."""


class Source:
    """SQLite database that is copied: yields a snapshot of its rows, and then, under the write lock, the changes since.

    The values are those that PostgreSQL's COPY accepts: None, numbers and texts.

    Args:
        file: the database.
        tables: tables to copy.
    """

    def __init__(self, file: Path, tables: Sequence[Table]) -> None:
        self._tables = tables
        self._snapshot, self._live = (
            sqlite3.connect(file, timeout=LOCK_TIMEOUT, isolation_level=None) for _ in range(2)
        )
        self._live.execute("PRAGMA journal_mode = WAL")  # in which readers do not block writers

    def __enter__(self) -> Self:
        """Begin the snapshot that `rows` reads, and the capture of later changes."""
        with self._live:
            self._live.execute("BEGIN IMMEDIATE")
            # Under the write lock, so that exactly the changes after the snapshot are captured. The SELECT starts it.
            self._snapshot.execute("BEGIN")
            self._snapshot.execute("SELECT count(*) FROM sqlite_master").fetchone()
            self._remove_capture()  # left by a copy that was killed
            self._live.execute(f"CREATE TABLE {CHANGES} (name TEXT NOT NULL, key TEXT NOT NULL)")
            for table in self._tables:
                for trigger in _triggers(table):
                    self._live.execute(trigger)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the change capture, and release the write lock."""
        self._snapshot.close()
        if self._live.in_transaction:
            self._live.execute("ROLLBACK")
        with self._live:
            self._live.execute("BEGIN IMMEDIATE")
            self._remove_capture()
        self._live.close()

    def rows(self, table: Table) -> Iterator[tuple[object, ...]]:
        """Return the rows of a table in the snapshot."""
        return self._snapshot.execute(f'SELECT {_values(table)} FROM "{table.name}" AS t')

    def lock(self) -> None:
        """Take the write lock until this context ends, or `forbid_writes` commits."""
        self._live.execute("BEGIN IMMEDIATE")

    def changed(self, table: Table) -> Iterator[tuple[object, ...]]:
        """Return the rows inserted or updated since the snapshot. Requires the write lock."""
        query = f'SELECT {_values(table)} FROM {_changed_keys()} CROSS JOIN "{table.name}" AS t ON {_same_key(table)}'
        return self._live.execute(query, (table.name,))

    def deleted_keys(self, table: Table) -> Iterator[tuple[object, ...]]:
        """Return the keys of rows deleted since the snapshot, or inserted and deleted. Requires the write lock."""
        keys = ", ".join(f"json_extract(c.key, '$[{place}]')" for place, _ in enumerate(table.primary_key))
        existing = f'SELECT 1 FROM "{table.name}" AS t WHERE {_same_key(table)}'
        return self._live.execute(f"SELECT {keys} FROM {_changed_keys()} WHERE NOT EXISTS ({existing})", (table.name,))

    def count(self, table: Table) -> int:
        """Return the number of rows of a table. Requires the write lock."""
        [number] = self._live.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()
        return int(number)

    def forbid_writes(self) -> None:
        """Reject all writes by triggers, also of a release without the handover lock. Requires the write lock."""
        rejection = "SELECT RAISE(ABORT, 'the data has moved to another database')"
        for table in self._tables:
            for event in EVENTS:
                trigger = f"moved_{table.name}_{event} BEFORE {event} ON {table.name}"
                self._live.execute(f"CREATE TRIGGER IF NOT EXISTS {trigger} BEGIN {rejection}; END")
        self._live.execute("COMMIT")

    def _remove_capture(self) -> None:
        triggers = f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{CHANGES}~_%' ESCAPE '~'"
        for (name,) in self._live.execute(triggers).fetchall():
            self._live.execute(f'DROP TRIGGER "{name}"')
        self._live.execute(f"DROP TABLE IF EXISTS {CHANGES}")


def _triggers(table: Table) -> Iterator[str]:
    for event, rows in EVENTS.items():
        inserts = ""
        for row in rows:
            key = ", ".join(f'{row}."{column.name}"' for column in table.primary_key)
            inserts += f"INSERT INTO {CHANGES} VALUES ('{table.name}', json_array({key})); "
        yield f"CREATE TRIGGER {CHANGES}_{table.name}_{event} AFTER {event} ON {table.name} BEGIN {inserts}END"


def _changed_keys() -> str:
    return f"(SELECT DISTINCT key FROM {CHANGES} WHERE name = ?) AS c"


def _same_key(table: Table) -> str:
    key = enumerate(table.primary_key)
    return " AND ".join(f"t.\"{column.name}\" = json_extract(c.key, '$[{place}]')" for place, column in key)


def _values(table: Table) -> str:
    return ", ".join(map(_value, table.columns))


def _value(column: Column[object]) -> str:
    """Return the expression of a column's value in PostgreSQL's text format.

    UUIDs, numbers, JSON and dates need no conversion. A JSON value that is just a number is a number in SQLite.
    """
    name = f't."{column.name}"'
    if isinstance(column.type, UtcDateTime):
        return f"{name} || '+00'"
    if isinstance(column.type, LargeBinary):
        return f"'\\x' || hex({name})"
    return name
