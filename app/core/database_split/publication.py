"""What replication needs in the former database: publication, replica identities, slot; and the fence's triggers."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.core.database.errors import sqlstate
from app.core.database_split.errors import SplitError
from app.core.database_split.fence import CREATE_FUNCTION, CREATE_TABLE, FUNCTION, MOVED_SERVICES, TRIGGER, triggers
from app.core.database_split.share import ServiceShare, TableShare

LOCK_NOT_AVAILABLE = "55P03"

LOCK_TIMEOUT = 0.3
"""Seconds to wait for a lock on a table: so long its other users may have to wait behind."""

TRIES = 100

PAUSE = 0.2
"""Seconds between two tries."""

CHANGES_LOCK = 0x73706C69
"""Key of the advisory lock ("spli" in ASCII) that lets one command at a time change triggers and publications."""


def create(source: Engine, share: ServiceShare) -> None:
    """Create all of it, or what a killed run has left out.

    Args:
        source: the former database, as a role that may replicate and is a member of the tables' owner.
        share: what is published.

    Raises:
        SplitError: the server or the role does not allow it.
    """
    owner = _owner(source, share)
    with source.begin() as connection:
        _become(connection, owner)
        connection.execute(text(CREATE_TABLE))
        connection.execute(text(CREATE_FUNCTION))
    for table in share.tables:
        _with_lock(source, owner, partial(_prepare_table, share=share, table=table))
    with source.begin() as connection:
        _become(connection, owner)
        if not connection.scalar(_PUBLICATION, {"name": share.name}):
            tables = ", ".join(_published(table) for table in share.tables)
            connection.exec_driver_sql(f"CREATE PUBLICATION {share.name} FOR TABLE {tables}")
    create_slot(source, share)


def create_slot(source: Engine, share: ServiceShare) -> None:
    """Create the replication slot. Not by the subscription: on the same server that would wait for itself."""
    with source.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.execute(_SLOT, {"name": share.name}).one_or_none() is None:
            connection.execute(
                text("SELECT pg_create_logical_replication_slot(:name, 'pgoutput')"), {"name": share.name}
            )


def drop(source: Engine, share: ServiceShare) -> None:
    """Drop slot, publication and triggers, as far as they are there, and restore the replica identities."""
    owner = _owner(source, share)
    _drop_slot(source, share)
    with source.begin() as connection:
        _become(connection, owner)
        connection.exec_driver_sql(f"DROP PUBLICATION IF EXISTS {share.name}")
        others = connection.scalar(text("SELECT count(*) FROM pg_publication WHERE pubname LIKE 'split\\_%'"))
    for table in share.tables:
        _with_lock(source, owner, partial(_restore_table, share=share, table=table, last=others == 0))


def drop_fence(source: Engine) -> None:
    """Drop the fence's function and table, unless another service is fenced or has moved."""
    with source.begin() as connection:
        if not connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": MOVED_SERVICES}):
            return
        fenced = connection.scalar(text(f"SELECT count(*) FROM pg_trigger WHERE starts_with(tgname, '{TRIGGER}')"))
        if not fenced and not connection.scalar(text(f"SELECT count(*) FROM {MOVED_SERVICES}")):
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {FUNCTION}; DROP TABLE {MOVED_SERVICES}")


def _prepare_table(connection: Connection, share: ServiceShare, table: TableShare) -> None:
    if table.condition:  # else an UPDATE or a DELETE could not be filtered
        _set_identity(connection, table, "FULL")
    existing = set(connection.scalars(_TRIGGERS, {"table": table.name}))
    for name, definition in triggers(share, table):
        if name not in existing:
            connection.exec_driver_sql(f"CREATE TRIGGER {name} {definition}")


def _restore_table(connection: Connection, share: ServiceShare, table: TableShare, last: bool) -> None:
    existing = connection.scalars(_TRIGGERS, {"table": table.name}).all()
    for name in existing:
        if name.startswith(f"{TRIGGER}{share.service}_"):
            connection.exec_driver_sql(f"DROP TRIGGER {name} ON {table.name}")
    if last and existing and table.condition:
        _set_identity(connection, table, "DEFAULT")


def _set_identity(connection: Connection, table: TableShare, identity: str) -> None:
    present = connection.scalar(
        text("SELECT relreplident FROM pg_class WHERE oid = to_regclass(:name)"), {"name": table.name}
    )
    if present != identity[0].lower():
        connection.exec_driver_sql(f"ALTER TABLE {table.name} REPLICA IDENTITY {identity}")


def _published(table: TableShare) -> str:
    return f"{table.name} WHERE ({table.condition})" if table.condition else table.name


def _drop_slot(source: Engine, share: ServiceShare) -> None:
    """Drop the slot. One that is in use is taken from its subscription, which can't go on without it."""
    with source.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for _ in range(TRIES):
            found = connection.execute(_SLOT, {"name": share.name}).one_or_none()
            if found is None:
                return
            if found.active_pid is not None:
                connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": found.active_pid})
                time.sleep(PAUSE / 10)  # the slot is released by the process as it ends
                continue
            try:
                connection.execute(text("SELECT pg_drop_replication_slot(:name)"), {"name": share.name})
            except DBAPIError as error:
                if sqlstate(error.orig) != "55006":  # object_in_use: the subscription was faster
                    raise
    raise SplitError(f"the replication slot {share.name} is in use: try again")


def _with_lock(source: Engine, owner: str, change: Callable[[Connection], None]) -> None:
    """Run a change that locks a table, again and again for a short time each: requests must not queue up behind it."""
    for left in reversed(range(TRIES)):
        try:
            with source.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(LOCK_TIMEOUT * 1000)}")
                _become(connection, owner)
                change(connection)
        except DBAPIError as error:
            if sqlstate(error.orig) not in (LOCK_NOT_AVAILABLE, "40P01") or not left:
                raise
            time.sleep(PAUSE)
        else:
            return


def _owner(source: Engine, share: ServiceShare) -> str:
    """Return the role that owns the service's tables."""
    with source.connect() as connection:
        found: Sequence[str] = connection.scalars(
            text(
                "SELECT DISTINCT quote_ident(tableowner) FROM pg_tables WHERE tablename = ANY(:names)"
                " AND schemaname = current_schema()"
            ),
            {"names": [table.name for table in share.tables]},
        ).all()
    if len(found) != 1:
        raise SplitError(f"the former database has no tables of {share.service}, or they have several owners")
    return found[0]


def _become(connection: Connection, owner: str) -> None:
    """Let what the transaction creates belong to the owner of the tables."""
    connection.exec_driver_sql(f"SET LOCAL ROLE {owner}")


_PUBLICATION = text("SELECT true FROM pg_publication WHERE pubname = :name")
_SLOT = text("SELECT active_pid FROM pg_replication_slots WHERE slot_name = :name")
_TRIGGERS = text(
    "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal"
    f" AND starts_with(tgname, '{TRIGGER}')"
)
