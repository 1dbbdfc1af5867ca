"""First step of a move: checks, and what replication needs in the former database. Nobody notices it."""

from collections.abc import Collection

from sqlalchemy import Connection, Engine, text

from app.core.database_split import publication, subscription
from app.core.database_split.errors import SplitError
from app.core.database_split.fence import moved_rows
from app.core.database_split.share import ServiceShare
from app.core.jobs.model import State
from app.core.sqlite_migration.completion import is_complete


def prepare(source: Engine, target: Engine, share: ServiceShare, kinds: Collection[str]) -> None:
    """Check both databases, then create the publication, the fence's triggers and the slot.

    Args:
        source: the former database, as a role that may replicate.
        target: the service's own, migrated.
        share: what is published.
        kinds: kinds of jobs of all services.

    Raises:
        SplitError: something is missing; nothing has changed.
    """
    with source.connect() as connection:
        if moved_rows(connection, share.service) is not None:
            return
        _check_source(connection, kinds)
    with target.connect() as connection:
        _check_target(connection, share)
    publication.create(source, share)


def _check_source(connection: Connection, kinds: Collection[str]) -> None:
    if (level := connection.scalar(text("SHOW wal_level"))) != "logical":
        raise SplitError(f"the former database has wal_level {level}: it must be logical")
    may = text("SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user")
    if not connection.scalar(may):
        user = connection.engine.url.username
        raise SplitError(f"the role {user} of the former database may not replicate: it needs REPLICATION")
    open_jobs = text("SELECT min(kind) FROM jobs WHERE state = ANY(:open) AND kind <> ALL(:kinds)")
    states = [State.QUEUED, State.RUNNING]
    if kind := connection.scalar(open_jobs, {"open": states, "kinds": list(kinds)}):
        raise SplitError(
            f"jobs of kind {kind} are under way, which belongs to no service: try again when they are done"
        )


def _check_target(connection: Connection, share: ServiceShare) -> None:
    if is_complete(connection):
        raise SplitError(f"the database of {share.service} is in use already")
    if subscription.exists(connection, share):
        return
    for table in share.tables:
        if connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table.name})")):
            raise SplitError(
                f"the database of {share.service} has rows of its own, in {table.name}: nothing was prepared"
            )
