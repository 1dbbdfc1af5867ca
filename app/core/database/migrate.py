"""Schema migrations: a branch for the core and for each service, upgrades, and the check whether they are current."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.database.engine import UNLIMITED, Database

APP = Path(__file__).parents[2]

ENVIRONMENT = APP / "migrations"
"""Alembic's script location: its env.py, and the single history before there were branches."""

VERSIONS = "schema_revisions"
"""Table of the branches' revisions."""

REVISIONS = text(f"SELECT version_num FROM {VERSIONS}")  # noqa: S608 a name of ours

FORMER_VERSIONS = "alembic_version"
"""Table of the single history's revision. It stays at the last one, which is what the former release looks for: so its
pods go on while this one rolls out, and it can come back."""

FORMER_HEAD = "0023"

LOCK = 0x7461736B
"""Key of the advisory lock ("task") under which PostgreSQL is migrated by one process at a time."""


class NotMigratedError(Exception):
    """The database has not the schema that this code needs, or can't be asked."""


@dataclass(frozen=True)
class Branch:
    """A branch of the schema.

    Args:
        name: its Alembic branch label, and how the names of its revisions begin.
        head: its newest revision: a test holds it to the scripts, so that a server need not load them to know it.
        metadata: its tables.
    """

    name: str
    head: str
    metadata: MetaData

    def met_by(self, revisions: Collection[str]) -> bool:
        """Tell whether a database with these revisions has what this code needs of the branch."""
        return any(revision.startswith(f"{self.name}_") and revision >= self.head for revision in revisions)


def configuration(connection: Connection | None = None, branches: Collection[Branch] = ()) -> Any:
    """Return Alembic's configuration, bound to a connection.

    Args:
        connection: to the database; None to look at the scripts alone.
        branches: whose tables are compared with the database's. None: the single history before there were branches.
    """
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    if branches:
        # Those of all: another process may have migrated the same database for other services.
        config.set_main_option("version_locations", "\n".join(map(str, sorted(APP.glob("*/migrations")))))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = [branch.metadata for branch in branches]
    config.attributes["version_table"] = VERSIONS if branches else FORMER_VERSIONS
    return config


def migrate(database: Database, branches: Collection[Branch]) -> None:
    """Bring branches of a database's schema to their heads, in one transaction, one process at a time.

    PostgreSQL holds an advisory lock until the transaction ends, which a transaction pooler keeps too; SQLite's write
    lock does the same. A database that a later release has migrated is left as it is.
    """
    from alembic import command

    with database.writer.execution_options(**{UNLIMITED: True}).begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        tables = inspect(connection)
        if tables.has_table(FORMER_VERSIONS):
            command.upgrade(configuration(connection), FORMER_HEAD)
        revisions = connection.scalars(REVISIONS).all() if tables.has_table(VERSIONS) else []
        config = configuration(connection, branches)
        for branch in branches:
            if not branch.met_by(revisions):
                command.upgrade(config, f"{branch.name}@head")


def check_ready(database: Database, branches: Collection[Branch]) -> None:
    """Ask the database for its revisions.

    Newer ones than this code's are fine: schemas grow by expand-then-contract, and old pods run on while a release
    rolls out.

    Raises:
        NotMigratedError: unreachable, or older than this code needs, or still without the data that it inherits.
    """
    try:
        with database.reader.connect() as connection:
            revisions = connection.scalars(REVISIONS).all()
        complete = database.copy_completion is None or database.copy_completion.complete()
    except SQLAlchemyError as error:
        raise NotMigratedError("The database can't be reached or has no schema.") from error
    if missing := [branch.head for branch in branches if not branch.met_by(revisions)]:
        known = ", ".join(sorted(revisions)) or "nothing"
        raise NotMigratedError(f"The database is at {known}, this code needs {', '.join(missing)}.")
    if not complete:
        raise NotMigratedError("The database waits for the data of the one before.")
