"""Online copy of a SQLite database to PostgreSQL.

Most of it is copied beside them. Then they are kept from writing for the moment that it takes to copy what they have
changed meanwhile, to seal the file, and to commit: the data is in one place or in the other, and never in both.
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
"""A temporary table for what has been changed."""


class CopyError(Exception):
    """The data could not be carried, and is where it was; the message is one line."""


class UncertainError(CopyError):
    """PostgreSQL did not say whether it has the data. The file stays sealed; a further try finds out."""


@dataclass(frozen=True)
class Report:
    """What has been carried.

    Args:
        rows: how many; None if it was done before.
        held: seconds for which nobody could write.
    """

    rows: int | None
    held: float = 0.0


def copy_database(file: Path, target: Database, address: str, tables: Sequence[Table]) -> Report:
    """Carry the data, unless it has been done.

    Args:
        file: the SQLite database, of the schema of this version.
        target: PostgreSQL, of the same schema.
        address: who serves the data from then on, as `http://host:port`: it is told to who still has the file.
        tables: what is copied, each table after those that it refers to.

    Raises:
        CopyError: PostgreSQL has data of its own, or the two differ in the end.
        sqlalchemy.exc.SQLAlchemyError, sqlite3.Error: nothing has been carried either.
    """
    with target.writer.execution_options(**{UNLIMITED: True}).connect() as connection:
        transaction = connection.begin()
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if is_complete(connection):
            return Report(rows=None)
        _refuse_data(connection, tables)
        with Source(file, tables) as source:
            for table in tables:
                copy_into(connection, table.name, table.columns.keys(), source.rows(table))
            source.lock()
            began = time.monotonic()
            _apply_changes(connection, source, tables)
            rows = _compared(connection, source, tables)
            mark_complete(connection, rows)
            seal = HandoverLock(file)
            seal.acquire(address)
            try:
                transaction.commit()
            except DBAPIError as error:
                _verify_commit(target, seal, error)
            source.forbid_writes()
        return Report(rows, time.monotonic() - began)


def _refuse_data(connection: Connection, tables: Sequence[Table]) -> None:
    full = [table.name for table in tables if connection.execute(select(table).limit(1)).first()]
    if full:
        raise CopyError(f"the PostgreSQL database has data of its own, in {', '.join(full)}: nothing was carried")


def _apply_changes(connection: Connection, source: Source, tables: Sequence[Table]) -> None:
    """Do what has been done to the SQLite database since the copy was begun."""
    for table in reversed(tables):
        key = _key(table)
        if _stage(connection, table, key, source.deleted_keys(table)):
            connection.execute(text(f'DELETE FROM "{table.name}" AS t USING {DELTA} AS d WHERE {_same(table)}'))
    for table in tables:
        names = table.columns.keys()
        if staged := _stage(connection, table, names, source.changed(table)):
            new = f"SELECT {_listed(names)} FROM {DELTA} ON CONFLICT DO NOTHING"
            inserted = connection.execute(text(f'INSERT INTO "{table.name}" ({_listed(names)}) {new}'))
            if inserted.rowcount < staged:  # else not even asked: the audit log refuses every UPDATE
                # Not deleted and inserted again: a deletion takes along what refers to the row.
                values = f"({_listed(names)}) = ROW({_listed(names, of='d.')})"
                connection.execute(
                    text(f'UPDATE "{table.name}" AS t SET {values} FROM {DELTA} AS d WHERE {_same(table)}')
                )


def _stage(connection: Connection, table: Table, names: list[str], rows: Iterator[tuple[object, ...]]) -> int:
    """Put rows of a table, or some columns of them, into a table of their own; return how many there are."""
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


def _compared(connection: Connection, source: Source, tables: Sequence[Table]) -> int:
    """Return how many rows there are; raise CopyError if there are not as many of each table here as there."""
    total = 0
    for table in tables:
        here = _count(connection, table.name)
        there = source.count(table)
        if here != there:
            raise CopyError(f"{table.name}: {here} rows have arrived and {there} are there: nothing was carried")
        total += there
    return total


def _verify_commit(target: Database, seal: HandoverLock, error: DBAPIError) -> None:
    """Return if the data is there although its COMMIT was answered by an error; else undo the seal and raise."""
    try:
        with target.reader.connect() as connection:
            # who still commits has this lock
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            if is_complete(connection):
                return
    except DBAPIError:
        raise UncertainError("PostgreSQL did not say whether it has the data: try again") from error
    seal.release()
    raise error
