"""What a service takes along: tables, and its part of the rows of tables that all services use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Ownership = Literal["own", "share", "copied"]
"""`own`: a table of the service. `share`: its rows in a table of all. `copied`: rows that others keep too."""


@dataclass(frozen=True)
class Rows:
    """Rows of a table.

    Args:
        ownership: whose they are.
        column: column that says whose a row is; None for all rows of the table.
        values: its values in these rows.
    """

    ownership: Ownership
    column: str | None = None
    values: tuple[str, ...] = ()

    def condition(self, row: str = "") -> str | None:
        """Return the rows as an SQL condition, None for all.

        Args:
            row: prefix of the column, such as `NEW.`.
        """
        # As text: a publication's filter must not cast an array, as the list of a varchar column would be.
        return None if self.column is None else f"{row}{self.column}::text IN ({_listed(self.values)})"


@dataclass(frozen=True)
class TableShare:
    """Rows of a table that a service takes along.

    Args:
        name: the table.
        columns: its columns.
        rows: parts of it, disjoint.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Rows, ...]

    @property
    def condition(self) -> str | None:
        """The rows as an SQL condition; None for all."""
        conditions = [part.condition() for part in self.rows]
        return None if None in conditions else " OR ".join(f"({each})" for each in conditions)

    @property
    def where(self) -> str:
        """The rows as a WHERE clause; empty for all."""
        return f" WHERE {self.condition}" if self.condition else ""


@dataclass(frozen=True)
class References:
    """Column by which a service refers to its files."""

    table: str
    column: str


@dataclass(frozen=True)
class ServiceShare:
    """What one service takes along.

    Args:
        service: its name.
        tables: its tables and those that it has rows in, each after those that it refers to.
        side_effects: kinds of its jobs that act outside the database, such as mails.
        files: where it refers to its files; None if it has none.
        has_sessions: whether the sessions are among its tables.
    """

    service: str
    tables: tuple[TableShare, ...]
    side_effects: tuple[str, ...] = ()
    files: References | None = None
    has_sessions: bool = False

    @property
    def name(self) -> str:
        """The name of its publication, slot and subscription."""
        return f"split_{self.service}"

    @property
    def own(self) -> list[str]:
        """The tables of this service alone."""
        return [table.name for table in self.tables if any(part.ownership == "own" for part in table.rows)]

    @property
    def job_kinds(self) -> list[str]:
        """The kinds of its jobs, and of those that each service has."""
        return [kind for table in self.tables if table.name == "jobs" for part in table.rows for kind in part.values]

    def parts(self, *ownerships: Ownership) -> Iterator[tuple[TableShare, Rows]]:
        """Yield the tables with their parts of the given ownerships."""
        for table in self.tables:
            for part in table.rows:
                if part.ownership in ownerships:
                    yield table, part


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
