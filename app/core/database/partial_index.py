"""Partial indexes for SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import text


def where(condition: str) -> dict[str, Any]:
    """Return the keyword arguments of a partial index over the rows that match a condition.

    Args:
        condition: SQL that is valid on both databases.
    """
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}
