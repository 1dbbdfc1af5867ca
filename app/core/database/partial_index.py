"""Partial indexes, alike on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import text


def where(condition: str) -> dict[str, Any]:
    """Return the arguments of an index over the rows that fit a condition.

    Args:
        condition: SQL that both databases understand.
    """
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}
