"""Retention rules, and batch deletion of expired rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select, tuple_
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from app.core.database.row_count import changed

WITH_ACCOUNT = "with the account"


@dataclass(frozen=True)
class KeepRule:
    """Rows that do not expire.

    Args:
        table: their table.
        until: what deletes them, or why nothing does; text for the documentation.
    """

    table: type[DeclarativeBase]
    until: str


@dataclass(frozen=True)
class ExpiryRule:
    """Rows that expire.

    Args:
        table: their table.
        rows: which rows; text for the documentation.
        since: indexed column with the time from which the age counts.
        after: age at which rows are deleted.
        only: further conditions.
        with_rows: columns of other tables that refer to such a row: the rows that do are deleted with it.
        batch: rows that one transaction deletes: on SQLite no other one can write meanwhile.
    """

    table: type[DeclarativeBase]
    rows: str
    since: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
    after: timedelta
    only: tuple[ColumnElement[bool], ...] = ()
    with_rows: Sequence[InstrumentedAttribute[UUID]] = ()
    batch: int = 1000


Rule = KeepRule | ExpiryRule


def expire(session: Session, rule: ExpiryRule, now: datetime) -> int:
    """Delete a batch of expired rows, the oldest first; return the number deleted."""
    key = rule.table.__mapper__.primary_key
    expired = and_(rule.since < now - rule.after, *rule.only)
    # SKIP LOCKED: concurrent cleaners take different rows, and none waits for a row that is in use.
    chosen = select(*key).where(expired).order_by(rule.since).limit(rule.batch).with_for_update(skip_locked=True)
    keys = [tuple(row) for row in session.execute(chosen)]
    if not keys:
        return 0
    for column in rule.with_rows:
        session.execute(delete(column.class_).where(column.in_([key for (key,) in keys])))
    return changed(session.execute(delete(rule.table).where(tuple_(*key).in_(keys))))


def table(rules: Sequence[Rule]) -> str:
    """Return the rules as a Markdown table."""
    lines = ["| Table | Rows | Deleted |", "| --- | --- | --- |"]
    for rule in rules:
        rows, when = ("all", rule.until) if isinstance(rule, KeepRule) else (rule.rows, _deletion_time(rule))
        lines.append(f"| `{rule.table.__tablename__}` | {rows} | {when} |")
    return "\n".join(lines)


def _deletion_time(rule: ExpiryRule) -> str:
    hours = int(rule.after / timedelta(hours=1))
    if not hours:
        return f"at `{rule.since.key}`"
    number, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'} after `{rule.since.key}`"
