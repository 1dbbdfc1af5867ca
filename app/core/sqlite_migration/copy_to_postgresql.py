"""Online copy of a SQLite database to PostgreSQL.

A snapshot is copied while servers go on writing. Then the SQLite write lock is held for the moment that it takes to
copy the changes since, acquire the handover lock and commit: exactly one of the two databases is in use at any time.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection, Table, select, text
from sqlalchemy.exc import DBAPIError

from app.core.database.copy import copy_into
from app.core.database.engine import UNLIMITED, Database
from app.core.database.migrate import LOCK
from app.core.sqlite_migration.change_capture import Source
from app.core.sqlite_migration.completion import is_complete, mark_complete
from app.core.sqlite_migration.handover import HandoverLock

DELTA = "carry_delta"
"""Temporary table of changed rows."""


class CopyError(Exception):
    """The copy failed, and SQLite stays in use. The message is one line."""


class CopyCommitUnknownError(CopyError):
    """The outcome of the COMMIT is unknown. The handover lock stays; another run finds out."""


@dataclass(frozen=True)
class Report:
    """Outcome of a copy.

    Args:
        rows: number of rows; None if an earlier run had completed the copy.
        held: seconds for which the write lock was held.
    """

    rows: int | None
    held: float = 0.0


def copy_database(file: Path, target: Database, address: str, tables: Sequence[Table]) -> Report:
    """Copy the data, unless an earlier run has done so.

    Args:
        file: the SQLite database, with the schema of this version.
        target: the PostgreSQL database, with the same schema.
        address: address of the servers that take over, as `http://host:port`; servers on the file forward requests to
            it.
        tables: tables to copy, each after those that it refers to.

    Raises:
        CopyError: PostgreSQL has data of its own, or the row counts differ at the end.
        UncertainError: the outcome of the COMMIT is unknown.
        sqlalchemy.exc.SQLAlchemyError, sqlite3.Error: the copy failed, and nothing was committed.
    """
    with target.writer.execution_options(**{UNLIMITED: True}).connect() as connection:
        transaction = connection.begin()
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if is_complete(connection):
            return Report(rows=None)
        _require_empty(connection, tables)
        with Source(file, tables) as source:
            for table in tables:
                copy_into(connection, table.name, table.columns.keys(), source.rows(table))
            source.lock()
            began = time.monotonic()
            _apply_changes(connection, source, tables)
            rows = _compare_counts(connection, source, tables)
            mark_complete(connection, rows)
            handover_lock = HandoverLock(file)
            handover_lock.acquire(address)
            try:
                transaction.commit()
            except DBAPIError as error:
                _verify_commit(target, handover_lock, error)
            source.forbid_writes()
        return Report(rows, time.monotonic() - began)


def _require_empty(connection: Connection, tables: Sequence[Table]) -> None:
    with_rows = [table.name for table in tables if connection.execute(select(table).limit(1)).first()]
    if with_rows:
        names = ", ".join(with_rows)
        raise CopyError(f"the PostgreSQL database has data of its own, in {names}: nothing was carried")


def _apply_changes(connection: Connection, source: Source, tables: Sequence[Table]) -> None:
    """Apply the changes that were made to the SQLite database since the snapshot."""
    for table in reversed(tables):
        key = _key(table)
        if _stage(connection, table, key, source.deleted_keys(table)):
            connection.execute(text(f'DELETE FROM "{table.name}" AS t USING {DELTA} AS d WHERE {_same(table)}'))
    for table in tables:
        names = table.columns.keys()
        if staged := _stage(connection, table, names, source.changed(table)):
            new = f"SELECT {_listed(names)} FROM {DELTA} ON CONFLICT DO NOTHING"
            inserted = connection.execute(text(f'INSERT INTO "{table.name}" ({_listed(names)}) {new}'))
            if inserted.rowcount < staged:  # else skipped, since a trigger rejects any UPDATE of the audit log
                # UPDATE rather than DELETE and INSERT, since a deletion cascades to rows that refer to this one.
                values = f"({_listed(names)}) = ROW({_listed(names, of='d.')})"
                connection.execute(
                    text(f'UPDATE "{table.name}" AS t SET {values} FROM {DELTA} AS d WHERE {_same(table)}')
                )


def _stage(connection: Connection, table: Table, names: list[str], rows: Iterator[tuple[object, ...]]) -> int:
    """Copy rows, or some columns of them, into the temporary table; return their number."""
    first = next(rows, None)
    if first is None:
        return 0
    connection.execute(text(f"DROP TABLE IF EXISTS {DELTA}"))
    like = f'SELECT {_listed(names)} FROM "{table.name}" LIMIT 0'
    connection.execute(text(f"CREATE TEMP TABLE {DELTA} ON COMMIT DROP AS {like}"))
    copy_into(connection, DELTA, names, chain([first], rows))
    return _count(connection, DELTA)


def _key(table: Table) -> list[str]:
    return table.primary_key.columns.keys()


def _same(table: Table) -> str:
    return " AND ".join(f't."{name}" = d."{name}"' for name in _key(table))


def _count(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0)


def _listed(names: list[str], of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in names)


def _compare_counts(connection: Connection, source: Source, tables: Sequence[Table]) -> int:
    """Return the number of rows of all tables; raise CopyError if a table's differs between the databases."""
    total = 0
    for table in tables:
        copied = _count(connection, table.name)
        expected = source.count(table)
        if copied != expected:
            raise CopyError(f"{table.name}: {copied} rows have arrived and {expected} are there: nothing was carried")
        total += expected
    return total


def _verify_commit(target: Database, handover_lock: HandoverLock, error: DBAPIError) -> None:
    """Check the outcome of a COMMIT that raised: return if it succeeded, else release the handover lock and raise."""
    try:
        with target.reader.connect() as connection:
            # held by the transaction while its COMMIT is still under way
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            if is_complete(connection):
                return
    except DBAPIError:
        raise CopyCommitUnknownError("PostgreSQL did not say whether it has the data: try again") from error
    handover_lock.release()
    raise error
