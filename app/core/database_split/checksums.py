"""Comparison of tables on both sides by count and checksum, in any order of rows, one pass each."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.core.database_split.errors import SplitError
from app.core.database_split.share import ServiceShare, TableShare

# What a value's text depends on.
SESSION = (
    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL bytea_output = 'hex';"
    " SET LOCAL extra_float_digits = 1"
)


@dataclass(frozen=True)
class Checksum:
    """Number of rows, and the sum of their hashes."""

    rows: int
    total: str


def checksum(connection: Connection, table: TableShare) -> Checksum:
    """Return the checksum of the rows of a table that a service takes along."""
    row = ", ".join(f'"{column}"' for column in table.columns)
    hashes = f"sum(hashtextextended(ROW({row})::text, 0)::numeric)"
    rows, total = connection.execute(text(f"SELECT count(*), {hashes}::text FROM {table.name}{table.where}")).one()
    return Checksum(rows, total or "0")


def compare(source: Connection, target: Connection, share: ServiceShare) -> int:
    """Return the number of rows on both sides; the two databases count at the same time.

    Args:
        source, target: connections in a transaction each, to the former database and to the service's own.
        share: what is compared.

    Raises:
        SplitError: a table differs.
    """
    for connection in (source, target):
        connection.exec_driver_sql(SESSION)
    total = 0
    with ThreadPoolExecutor(1) as other:
        for table in share.tables:
            there = other.submit(checksum, target, table)
            here = checksum(source, table)
            if here != there.result():
                arrived = there.result().rows
                found = f"{here.rows} rows in the former database, {arrived} in the new one"
                raise SplitError(
                    f"{table.name} differs: {found if here.rows != arrived else 'same rows, other values'}"
                )
            total += here.rows
    return total
