"""Retention rules, and the batch deletion of expired rows."""

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
    """Rows that no clock deletes.

    Args:
        table: their table.
        until: what deletes them, or why nothing does, in words.
    """

    table: type[DeclarativeBase]
    until: str


@dataclass(frozen=True)
class ExpiryRule:
    """Rows that are deleted some time after a moment.

    Args:
        table: their table.
        rows: which, in words.
        since: the column with the moment; indexed.
        after: how long after it.
        only: further conditions.
        with_rows: columns of other tables that hold the key of such a row: their rows are deleted with it.
        batch: rows that one transaction deletes: on SQLite no other can write meanwhile.
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
    """Delete a batch of rows whose time is over, the oldest first, and return how many it were."""
    key = rule.table.__mapper__.primary_key
    over = and_(rule.since < now - rule.after, *rule.only)
    # Another process that cleans has its own rows, and nobody waits for a row that is in use.
    chosen = select(*key).where(over).order_by(rule.since).limit(rule.batch).with_for_update(skip_locked=True)
    keys = [tuple(row) for row in session.execute(chosen)]
    if not keys:
        return 0
    for column in rule.with_rows:
        session.execute(delete(column.class_).where(column.in_([key for (key,) in keys])))
    return changed(session.execute(delete(rule.table).where(tuple_(*key).in_(keys))))


def table(rules: Sequence[Rule]) -> str:
    """Return rules as a table in Markdown."""
    lines = ["| Table | Rows | Deleted |", "| --- | --- | --- |"]
    for rule in rules:
        rows, when = ("all", rule.until) if isinstance(rule, KeepRule) else (rule.rows, _words(rule))
        lines.append(f"| `{rule.table.__tablename__}` | {rows} | {when} |")
    return "\n".join(lines)


def _words(rule: ExpiryRule) -> str:
    hours = int(rule.after / timedelta(hours=1))
    if not hours:
        return f"at `{rule.since.key}`"
    number, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'} after `{rule.since.key}`"
