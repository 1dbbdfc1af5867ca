"""`split-database`: move a service's tables to a database of its own, by logical replication, step by step."""

import sys
import time

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.bootstrap.services import SERVICES
from app.cli import fail
from app.cli.migrate import run as migrate
from app.core.settings import Settings, SettingsError, load_settings

LIVE = 0.2
"""Seconds between two looks at the servers that take over."""


def split_database(step: str, service: str, address: str | None = None, patience: float = 600) -> int:
    """Run one step; each may be killed and repeated.

    Args:
        step: `prepare`, `wait`, `switch`, `revert` or `remove`.
        service: the service that moves. The settings are those of its own database.
        address: `http://host:port` of its servers, for `switch`.
        patience: seconds to wait for them, or for the copy.
    """
    from app.core.database.engine import UNLIMITED, connect
    from app.core.database_split.errors import SplitError
    from app.core.database_split.source import former_settings

    try:
        settings = load_settings()
        former = former_settings(settings)
    except SettingsError as error:
        return fail(str(error), 2)
    databases = [connect(each, serves=False) for each in (former, settings)]
    source, target = (database.writer.execution_options(**{UNLIMITED: True}) for database in databases)
    try:
        for name, database in zip(("APP_FORMER_DATABASE_URL", "APP_DATABASE_URL"), databases, strict=True):
            if database.dialect != "postgresql":
                return fail(f"{name}: services move from PostgreSQL to PostgreSQL only", 2)
        if source.url == target.url:
            return fail("APP_FORMER_DATABASE_URL: is the service's own database", 2)
        return _run(step, service, address, patience, settings, source, target)
    except SplitError as error:
        return fail(str(error))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return fail(f"the step {step} of {service} has failed, and can be repeated: {reason}")
    finally:
        for database in databases:
            database.dispose()


def _run(
    step: str, service: str, address: str | None, patience: float, settings: Settings, source: Engine, target: Engine
) -> int:
    from app.bootstrap.shares import shares
    from app.core.database_split.preparation import prepare
    from app.core.database_split.remove import remove, revert
    from app.core.database_split.subscription import wait
    from app.core.database_split.switch import switch
    from app.core.database_split.take_over import clear

    every = shares()
    share = every[service]
    match step:
        case "prepare":
            if status := migrate(settings, [service]):
                return status
            prepare(source, target, share, [kind for each in every.values() for kind in each.job_kinds])
            said = f"{service}: publication and slot {share.name} are there"
        case "wait":
            state = wait(source, target, share, patience)
            said = f"{service}: {state.copied} tables are there, {state.behind or 0} bytes of changes are on their way"
        case "switch":
            if address is None or not _is_up(address, patience):
                return fail(f"nobody waits for the data at {address}: nothing was moved")
            others = [name for name in SERVICES if name != service]
            report = switch(source, target, share, address, others, patience)
            clear(target, share)
            said = f"{service} has moved before"
            if report.rows is not None:
                said = f"{service} has moved: {report.rows} rows; writes were refused for {report.paused:.2f} s"
        case "revert":
            revert(source, target, share)
            said = f"{service} stays in the former database"
        case _:
            rows = remove(source, share)
            said = f"{service}: its former tables are dropped, and {rows} rows of others are deleted"
    sys.stdout.write(said + "\n")
    return 0


def _is_up(address: str, patience: float) -> bool:
    from app.core.sqlite_migration.target import MigrationTarget

    servers, end = MigrationTarget(address), time.monotonic() + patience
    while not servers.healthy("/health/live"):
        if time.monotonic() > end:
            return False
        time.sleep(LIVE)
    return True
