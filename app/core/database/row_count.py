"""Number of rows that a statement changed."""

from typing import Any

from sqlalchemy import CursorResult, Result


def changed(result: Result[Any]) -> int:
    """Return how many rows an UPDATE, INSERT or DELETE has changed."""
    assert isinstance(result, CursorResult)  # noqa: S101 tells the type checker what a change returns
    return result.rowcount
