"""Number of rows that a statement changed."""

from typing import Any

from sqlalchemy import CursorResult, Result


def changed(result: Result[Any]) -> int:
    """Return the number of rows that an UPDATE, INSERT or DELETE changed."""
    assert isinstance(result, CursorResult)  # noqa: S101 narrows the type
    return result.rowcount
