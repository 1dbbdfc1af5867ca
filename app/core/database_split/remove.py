"""Removal of what a service has left in the former database, and the way back before it has moved."""

from sqlalchemy import Engine, text

from app.core.database_split import publication, subscription
from app.core.database_split.errors import SplitError
from app.core.database_split.fence import moved_rows
from app.core.database_split.share import ServiceShare
from app.core.sqlite_migration.completion import is_complete

BATCH = 1000
"""Rows that one transaction deletes."""


def revert(source: Engine, target: Engine, share: ServiceShare) -> None:
    """Undo `prepare`, and empty the service's database, so that it can begin anew.

    Raises:
        SplitError: the service has moved, or its subscription is still there.
    """
    with source.connect() as connection:
        if moved_rows(connection, share.service) is not None:
            raise SplitError(f"{share.service} has moved: there is no way back")
    with target.connect() as connection:
        if is_complete(connection):
            raise SplitError(f"the database of {share.service} is in use: nothing was reverted")
        if subscription.exists(connection, share):
            raise SplitError(f"the subscription {share.name} is still there: delete it first")
    publication.drop(source, share)
    publication.drop_fence(source)
    names = ", ".join(table.name for table in share.tables)
    with target.begin() as connection:
        for table in share.tables:  # the audit log's triggers refuse it
            connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
        connection.exec_driver_sql(f"TRUNCATE {names}")
        for table in share.tables:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")


def remove(source: Engine, share: ServiceShare) -> int:
    """Drop a moved service's tables in the former database, with its rows in others; return the number of those.

    Raises:
        SplitError: the service has not moved.
    """
    with source.connect() as connection:
        if moved_rows(connection, share.service) is None:
            raise SplitError(f"{share.service} has not moved: nothing was removed")
    publication.drop(source, share)
    with source.begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '5s'; DROP TABLE IF EXISTS {', '.join(share.own)}")
    return sum(_delete(source, table.name, part.condition()) for table, part in share.parts("share"))


def _delete(source: Engine, table: str, condition: str | None) -> int:
    chosen = f"SELECT ctid FROM {table} WHERE {condition or 'true'} LIMIT {BATCH}"
    deleted = 0
    while True:
        with source.begin() as connection:
            # By their places, which no transaction has changed since if the condition still holds.
            statement = f"DELETE FROM {table} WHERE ctid = ANY(ARRAY({chosen})) AND {condition or 'true'}"
            count = connection.execute(text(statement)).rowcount
        if not count:
            return deleted
        deleted += count
