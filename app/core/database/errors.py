"""Classification of database errors: lost connection, rolled back, disk full."""

from sqlalchemy.exc import DBAPIError, OperationalError

ROLLED_BACK = frozenset({"40001", "40P01"})
"""Serialisation failure (on a replica also a conflict with recovery), and deadlock."""

DISK_FULL = "53100"

DEMOTED = "25006"
"""Write on a read-only server (read_only_sql_transaction): the former primary, now a replica."""

MOVING, MOVED = "TM001", "TM002"
"""Write to tables of a service that is moving to a database of its own, and that has moved: SQLSTATEs of the fence
(app.core.database_split.fence)."""


def sqlstate(error: BaseException | None) -> str | None:
    """Return the SQLSTATE of a PostgreSQL error; None without one, as when no server has answered."""
    code: str | None = getattr(error, "pgcode", None)
    return code


def connection_lost(error: DBAPIError) -> bool:
    """Return whether the connection was lost or not established: a transaction before its COMMIT is rolled back."""
    if error.connection_invalidated:
        return True
    # SQLite's errors have no such attribute
    unanswered = hasattr(error.orig, "pgcode") and sqlstate(error.orig) is None
    return unanswered and isinstance(error, OperationalError)


def rolled_back(error: DBAPIError) -> bool:
    """Return whether the database rolled the transaction back because of a conflict with another one."""
    return sqlstate(error.orig) in ROLLED_BACK


def disk_full(error: DBAPIError) -> bool:
    """Return whether the database's disk is full."""
    return sqlstate(error.orig) == DISK_FULL or "disk is full" in str(error.orig)  # SQLite has only the message
