"""Schema migrations: upgrade, and the check whether the schema is current."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.database.engine import UNLIMITED, Database

REQUIRED_REVISION = "0023"
"""The newest migration: a test holds it to the scripts, so that a server need not load them to know it."""

LOCK = 0x7461736B
"""Key of the advisory lock ("task") under which PostgreSQL is migrated by one process at a time."""


class NotMigratedError(Exception):
    """The database has not the schema that this code needs, or can't be asked."""


def configuration(connection: Connection | None = None) -> Any:
    """Return Alembic's configuration, bound to a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[2] / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(database: Database, target: str = "head") -> None:
    """Bring the database to a revision, in one transaction, one process at a time.

    PostgreSQL holds an advisory lock until the transaction ends, which a transaction pooler keeps too; SQLite's write
    lock does the same.
    """
    from alembic import command

    with database.writer.execution_options(**{UNLIMITED: True}).begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if target == "base":
            command.downgrade(configuration(connection), target)
        else:
            command.upgrade(configuration(connection), target)


def check_ready(database: Database) -> None:
    """Ask the database for its revision.

    A newer one than this code's is fine: schemas grow by expand-then-contract, and old pods run on while a release
    rolls out.

    Raises:
        NotMigratedError: unreachable, or older than this code needs, or still without the data that it inherits.
    """
    try:
        with database.reader.connect() as connection:
            revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        complete = database.inheritance is None or database.inheritance.complete()
    except SQLAlchemyError as error:
        raise NotMigratedError("The database can't be reached or has no schema.") from error
    if revision is None or str(revision) < REQUIRED_REVISION:
        raise NotMigratedError(f"The database is at revision {revision}, this code needs {REQUIRED_REVISION}.")
    if not complete:
        raise NotMigratedError("The database waits for the data of the one before.")
