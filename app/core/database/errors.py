"""Classification of database errors: lost connection, rolled back, disk full."""

from sqlalchemy.exc import DBAPIError, OperationalError

ROLLED_BACK = frozenset({"40001", "40P01"})
"""Serialisation failure (on a replica also: a conflict with what it replays), and deadlock."""

DISK_FULL = "53100"

DEMOTED = "25006"
"""A write to a server that only reads: it was the primary when the connection was made."""


def sqlstate(error: BaseException | None) -> str | None:
    """Return the code of a PostgreSQL error; None when there is none, as when no server has answered."""
    code: str | None = getattr(error, "pgcode", None)
    return code


def connection_lost(error: DBAPIError) -> bool:
    """Tell whether the connection is lost, or could not be had: without a COMMIT, its transaction is undone."""
    if error.connection_invalidated:
        return True
    # SQLite's errors have no such attribute
    unanswered = hasattr(error.orig, "pgcode") and sqlstate(error.orig) is None
    return unanswered and isinstance(error, OperationalError)


def rolled_back(error: DBAPIError) -> bool:
    """Tell whether the database says that it has undone the transaction for another one's sake."""
    return sqlstate(error.orig) in ROLLED_BACK


def disk_full(error: DBAPIError) -> bool:
    """Tell whether the database has no room left on its disk."""
    return sqlstate(error.orig) == DISK_FULL or "disk is full" in str(error.orig)  # SQLite has words only
