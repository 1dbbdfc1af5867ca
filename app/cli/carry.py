"""`carry`: copy a SQLite database to PostgreSQL while servers keep writing to it."""

import sqlite3
import sys
import time
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from app.cli import fail
from app.cli.migrate import run as migrate
from app.core.settings import SettingsError, load_settings
from app.core.sqlite_migration.target import MigrationTarget


def carry(file: Path, address: str, patience: float) -> int:
    """Copy the data to the database of the settings, once the servers that take over are up.

    Args:
        file: the SQLite database.
        address: `http://host:port` of the servers that take over; requests are forwarded there.
        patience: seconds to wait for them.
    """
    from app.bootstrap.schema import tables
    from app.core.database.engine import connect
    from app.core.sqlite_migration.copy_to_postgresql import CopyError, copy_database
    from app.core.sqlite_migration.handover import HandoverLock

    try:
        settings = load_settings()
    except SettingsError as error:
        return fail(str(error), 2)
    target = connect(settings)
    if target.dialect != "postgresql":
        return fail("APP_DATABASE_URL: data is carried to PostgreSQL only", 2)
    if not file.is_file():
        return fail(f"there is no database at {file}: nothing was carried")
    if not _is_up(MigrationTarget(address), patience):
        return fail(f"nobody waits for the data at {address}: nothing was carried")
    try:
        if HandoverLock(file).address() is None:  # else an earlier, interrupted run has migrated it
            former = settings.model_copy(update={"database_url": SecretStr(f"sqlite:///{file}")})
            if status := migrate(former):
                return status
        report = copy_database(file, target, address, tables())
    except CopyError as error:
        return fail(str(error))
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return fail(f"the data could not be carried, and is where it was: {reason}")
    finally:
        target.dispose()
    if report.rows is None:
        sys.stdout.write("the data has been carried before\n")
    else:
        sys.stdout.write(f"carried {report.rows} rows; nobody could write for {report.held:.2f} s\n")
    return 0


def _is_up(servers: MigrationTarget, patience: float) -> bool:
    end = time.monotonic() + patience
    while not servers.healthy("/health/live"):
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
