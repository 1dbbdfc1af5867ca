"""Change capture on a SQLite database, by triggers, while others write to it."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Column, LargeBinary, Table

from app.core.database.types import UtcDateTime

CHANGES = "carry_changes"
"""A table that is there while data is carried: keys of what has been changed since, as JSON."""

EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}
"""What may happen to a row, and which rows a trigger then sees."""

LOCK_TIMEOUT = 30
"""Seconds to wait for the write lock."""


class Source:
    """Gives its rows as they were at one moment, and then, when nobody can write any more, what has changed since.

    The values are those that COPY into PostgreSQL takes: None, numbers and texts.

    Args:
        file: the database.
        tables: what is carried.
    """

    def __init__(self, file: Path, tables: Sequence[Table]) -> None:
        self._tables = tables
        self._snapshot, self._live = (
            sqlite3.connect(file, timeout=LOCK_TIMEOUT, isolation_level=None) for _ in range(2)
        )
        self._live.execute("PRAGMA journal_mode = WAL")  # in which who reads keeps nobody from writing

    def __enter__(self) -> Self:
        """Begin to note changes. What was there before is what `rows` gives."""
        with self._live:
            self._live.execute("BEGIN IMMEDIATE")
            # Looked at while nobody else can write: so what is noted is just what this view does not show.
            self._snapshot.execute("BEGIN")
            self._snapshot.execute("SELECT count(*) FROM sqlite_master").fetchone()
            self._remove_capture()  # what a carrier has left that was killed
            self._live.execute(f"CREATE TABLE {CHANGES} (name TEXT NOT NULL, key TEXT NOT NULL)")
            for table in self._tables:
                for trigger in _triggers(table):
                    self._live.execute(trigger)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Note no more changes, and let others write."""
        self._snapshot.close()
        if self._live.in_transaction:
            self._live.execute("ROLLBACK")
        with self._live:
            self._live.execute("BEGIN IMMEDIATE")
            self._remove_capture()
        self._live.close()

    def rows(self, table: Table) -> Iterator[tuple[object, ...]]:
        """Return the rows of a table as they were in the beginning."""
        return self._snapshot.execute(f'SELECT {_sent(table)} FROM "{table.name}" AS t')

    def lock(self) -> None:
        """Keep everybody from writing, until the block of this source ends."""
        self._live.execute("BEGIN IMMEDIATE")

    def changed(self, table: Table) -> Iterator[tuple[object, ...]]:
        """Return the rows that have come or changed since the beginning. Under the lock."""
        query = f'SELECT {_sent(table)} FROM {_noted()} CROSS JOIN "{table.name}" AS t ON {_same(table)}'
        return self._live.execute(query, (table.name,))

    def deleted_keys(self, table: Table) -> Iterator[tuple[object, ...]]:
        """Return the keys of rows that have gone since the beginning, or came and went. Under the lock."""
        keys = ", ".join(f"json_extract(c.key, '$[{place}]')" for place, _ in enumerate(table.primary_key))
        there = f'SELECT 1 FROM "{table.name}" AS t WHERE {_same(table)}'
        return self._live.execute(f"SELECT {keys} FROM {_noted()} WHERE NOT EXISTS ({there})", (table.name,))

    def count(self, table: Table) -> int:
        """Return how many rows a table has. Under the lock."""
        [number] = self._live.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()
        return int(number)

    def forbid_writes(self) -> None:
        """Let nobody change a row any more, not even a server of a release that knows no seal. Under the lock."""
        refusal = "SELECT RAISE(ABORT, 'the data has moved to another database')"
        for table in self._tables:
            for event in EVENTS:
                trigger = f"moved_{table.name}_{event} BEFORE {event} ON {table.name}"
                self._live.execute(f"CREATE TRIGGER IF NOT EXISTS {trigger} BEGIN {refusal}; END")
        self._live.execute("COMMIT")

    def _remove_capture(self) -> None:
        triggers = f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{CHANGES}~_%' ESCAPE '~'"
        for (name,) in self._live.execute(triggers).fetchall():
            self._live.execute(f'DROP TRIGGER "{name}"')
        self._live.execute(f"DROP TABLE IF EXISTS {CHANGES}")


def _triggers(table: Table) -> Iterator[str]:
    for event, rows in EVENTS.items():
        notes = ""
        for row in rows:
            key = ", ".join(f'{row}."{column.name}"' for column in table.primary_key)
            notes += f"INSERT INTO {CHANGES} VALUES ('{table.name}', json_array({key})); "
        yield f"CREATE TRIGGER {CHANGES}_{table.name}_{event} AFTER {event} ON {table.name} BEGIN {notes}END"


def _noted() -> str:
    return f"(SELECT DISTINCT key FROM {CHANGES} WHERE name = ?) AS c"


def _same(table: Table) -> str:
    key = enumerate(table.primary_key)
    return " AND ".join(f"t.\"{column.name}\" = json_extract(c.key, '$[{place}]')" for place, column in key)


def _sent(table: Table) -> str:
    return ", ".join(map(_form, table.columns))


def _form(column: Column[object]) -> str:
    """Return the expression for a value as PostgreSQL reads it. UUIDs, numbers, JSON and days it reads as they are.

    A JSON that is nothing but a number is a number to SQLite.
    """
    name = f't."{column.name}"'
    if isinstance(column.type, UtcDateTime):
        return f"{name} || '+00'"
    if isinstance(column.type, LargeBinary):
        return f"'\\x' || hex({name})"
    return name
