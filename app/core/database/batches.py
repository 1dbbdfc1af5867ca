"""Bounded batch deletes."""

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.orm import DeclarativeBase, Session

from app.core.database.row_count import changed


def delete_some(session: Session, table: type[DeclarativeBase], limit: int, *conditions: ColumnElement[bool]) -> int:
    """Delete up to `limit` rows that match the conditions; return the number deleted."""
    key = table.__mapper__.primary_key
    keys = [tuple(row) for row in session.execute(select(*key).where(*conditions).limit(limit))]
    return changed(session.execute(delete(table).where(tuple_(*key).in_(keys)))) if keys else 0
