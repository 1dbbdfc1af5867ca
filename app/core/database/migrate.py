"""Schema migrations: an Alembic branch for the core and for each service, upgrades, and the readiness check."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.database.engine import UNLIMITED, Database

APP = Path(__file__).parents[2]

ENVIRONMENT = APP / "migrations"
"""Alembic's script location: env.py, and the single history from before the branches."""

VERSIONS = "schema_revisions"
"""Alembic's version table of the branches."""

REVISIONS = text(f"SELECT version_num FROM {VERSIONS}")  # noqa: S608 a name of ours

FORMER_VERSIONS = "alembic_version"
"""Alembic's version table of the single history. It stays at the last revision, which the former release's readiness
check requires: its pods stay ready during the rollout, and a rollback is possible."""

FORMER_HEAD = "0023"

LOCK = 0x7461736B
"""Key of the advisory lock ("task" in ASCII) that lets one process at a time migrate PostgreSQL."""


class NotMigratedError(Exception):
    """The database lacks the schema that this code needs, or can't be reached."""


@dataclass(frozen=True)
class Branch:
    """A branch of the schema.

    Args:
        name: Alembic branch label, and prefix of its revision names.
        head: newest revision. Written here so that a server need not load the scripts; a test compares the two.
        metadata: its tables.
    """

    name: str
    head: str
    metadata: MetaData

    def met_by(self, revisions: Collection[str]) -> bool:
        """Return whether a database at these revisions has the branch's head, or a later revision."""
        return any(revision.startswith(f"{self.name}_") and revision >= self.head for revision in revisions)


def configuration(connection: Connection | None = None, branches: Collection[Branch] = ()) -> Any:
    """Return Alembic's configuration, bound to a connection.

    Args:
        connection: to the database; None to read the scripts alone.
        branches: branches whose metadata autogenerate compares with the database; empty for the single history.
    """
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    if branches:
        # All branches: another process may have migrated the same database for other services.
        config.set_main_option("version_locations", "\n".join(map(str, sorted(APP.glob("*/migrations")))))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = [branch.metadata for branch in branches]
    config.attributes["version_table"] = VERSIONS if branches else FORMER_VERSIONS
    return config


def migrate(database: Database, branches: Collection[Branch]) -> None:
    """Upgrade branches of a database's schema to their heads, in one transaction, one process at a time.

    On PostgreSQL by a transaction-level advisory lock, which works through a transaction pooler too; on SQLite by its
    write lock. Branches that a later release has migrated further are left unchanged.
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
    """Check that the database has the schema that this code needs, and the data copied from SQLite if it takes over.

    Newer revisions are accepted: schemas change by expand and contract, and old pods keep serving during a rollout.

    Raises:
        NotMigratedError: the database is unreachable, its schema is older, or the copy is not complete.
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
