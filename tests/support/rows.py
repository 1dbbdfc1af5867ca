"""Rows of any table: drawn by Hypothesis, or a single one of plain values."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    insert,
)
from sqlalchemy.orm import Session

from app.bootstrap.schema import tables
from app.core.database.types import UtcDateTime

TEXT = st.characters(codec="utf-8", exclude_characters="\x00")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 bounds have none


KINDS: dict[type, st.SearchStrategy[Any]] = {
    UtcDateTime: TIMES,
    Uuid: st.uuids(),
    Boolean: st.booleans(),
    BigInteger: st.integers(-(2**63), 2**63 - 1),
    Integer: st.integers(-(2**31), 2**31 - 1),
    SmallInteger: st.integers(-(2**15), 2**15 - 1),
    Date: st.dates(date(1, 1, 2)),
    LargeBinary: st.binary(max_size=40),
    JSON: JSON_VALUES,
    String: st.text(TEXT, max_size=20),
    Text: st.text(TEXT, max_size=40),
}
"""Values by type of column. Texts fit the shortest column."""


def values_of(column: Column[Any]) -> st.SearchStrategy[Any]:
    """Return the valid values of a column."""
    values = KINDS[type(column.type)]
    if (column.table.name, column.name) == ("tasks", "status"):
        values = st.sampled_from(["todo", "in_progress", "done"])
    return st.none() | values if column.nullable else values


@st.composite
def databases(draw: st.DrawFn) -> dict[Table, list[dict[str, Any]]]:
    """Draw rows for every table, with valid foreign keys and unique keys."""
    found: dict[Table, list[dict[str, Any]]] = {}
    for table in tables():
        drawn = {column.name: values_of(column) for column in table.columns}
        for constraint in table.foreign_key_constraints:
            [element] = constraint.elements
            there = [row[element.column.name] for row in found[element.column.table]]
            optional = element.parent.nullable
            choices = [*there, None] if optional else there
            drawn[element.parent.name] = st.sampled_from(choices) if choices else st.nothing()
        unique = [index.columns.keys() for index in table.indexes if index.unique]
        keys = [table.primary_key.columns.keys(), *unique]
        rows = st.lists(
            st.fixed_dictionaries(drawn),
            max_size=3,
            unique_by=tuple(lambda row, key=key: tuple(row[name] for name in key) for key in keys),  # type: ignore[misc]
        )
        found[table] = draw(rows) if not any(each.is_empty for each in drawn.values()) else []
    return found


def insert_row(session: Session, table: Table, **values: Any) -> dict[str, Any]:
    """Insert a row, and the rows that it refers to; unnamed columns get any value that fits. Return it."""
    row = {column.name: _any_value(column) for column in table.columns} | values
    for constraint in table.foreign_key_constraints:
        [element] = constraint.elements
        if element.parent.name not in values:
            row[element.parent.name] = insert_row(session, element.column.table)[element.column.name]
    session.execute(insert(table).values(row))
    return row


def _any_value(column: Column[Any]) -> Any:
    if (column.table.name, column.name) == ("tasks", "status"):
        return "todo"
    kinds: dict[type, Any] = {
        UtcDateTime: datetime(2030, 1, 1, tzinfo=UTC), Uuid: uuid4(), JSON: {}, LargeBinary: b"x",
        Boolean: False, Date: date(2030, 1, 1), Integer: 1, SmallInteger: 1, BigInteger: 1,
    }  # fmt: skip
    return kinds.get(type(column.type), uuid4().hex[:20])
