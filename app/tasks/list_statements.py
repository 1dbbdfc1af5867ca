"""Cached SQL statements that list tasks."""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from app.core.text import fold, nfd
from app.tasks.model import Status, Task, tag_forms
from app.tasks.query import Query, Sort
from app.tasks.tables import TaskRow, TaskTagRow

# Core columns, not ORM attributes: plain rows, without the overhead of the ORM.
TASKS, TAGS = TaskRow.__table__.c, TaskTagRow.__table__.c

SHOWN = (
    TASKS.id,
    TASKS.title,
    TASKS.description,
    TASKS.status,
    TASKS.due_at,
    TASKS.created_at,
    TASKS.updated_at,
    TASKS.version,
    TASKS.remind_at,
    TASKS.attachments,
)
COLUMNS = (TASKS.user_id, *SHOWN)
"""Columns of a task in the order of `task_of`, without tags."""

SEPARATOR = "\n"
"""Separator of tags: none contains a line break (app.tasks.model.tag_form)."""

TAGS_OF_TASK = select(func.aggregate_strings(TAGS.tag, SEPARATOR)).where(TAGS.task_id == TASKS.id).scalar_subquery()

TAGGED: Select[*tuple[Any, ...]] = select(*SHOWN, TAGS_OF_TASK.label("tags"))
"""Tasks with their tags, in one statement for a consistent read. Without user_id, which the caller knows."""

ONE = TAGGED.where(TASKS.id == bindparam("id"), TASKS.user_id == bindparam("user_id"))

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "created_at": TASKS.created_at,
    "updated_at": TASKS.updated_at,
    "due_at": TASKS.due_at,
    "title": TASKS.title_key,
}

ESCAPE = "/"

_IS_TAG_OF_TASK = (TAGS.task_id == TASKS.id, TAGS.user_id == TASKS.user_id)

CONDITIONS: dict[str, ColumnElement[bool]] = {
    "status": TASKS.status == bindparam("status"),
    "q": TASKS.search_text.contains(bindparam("q"), escape=ESCAPE),
    "q_spellings": or_(
        TASKS.search_text.contains(bindparam("q"), escape=ESCAPE),
        TASKS.search_text.contains(bindparam("q_decomposed"), escape=ESCAPE),
    ),
    "due_after": TASKS.due_at >= bindparam("due_after"),
    "due_before": TASKS.due_at < bindparam("due_before"),
    "tag": exists().where(*_IS_TAG_OF_TASK, TAGS.tag == bindparam("tag")),
    "tag_spellings": exists().where(*_IS_TAG_OF_TASK, TAGS.tag.in_((bindparam("tag"), bindparam("tag_decomposed")))),
}
"""Conditions by filter. Texts that differ in NFC and NFD are searched in both forms: a previous release, which may
still be running, does not normalise what it stores."""


class Part(Enum):
    """Parts of an order by due date. Each is a range scan of an index, which an `OR` over both would not be."""

    WHOLE = "whole"
    DATED = "dated"
    UNDATED = "undated"


def page(user_id: UUID, query: Query) -> tuple[Select[*tuple[Any, ...]], dict[str, object]]:
    """Return the statement of a page and its parameters."""
    given = {name: value for name, value in vars(query.filters).items() if value is not None}
    if query.filters.q is not None:
        given["q"] = _literal(fold(query.filters.q))
    conditions = set(given)
    for name in ("q", "tag"):
        if name in given and (decomposed := nfd(given[name])) != given[name]:
            conditions = conditions - {name} | {f"{name}_spellings"}
            given[f"{name}_decomposed"] = decomposed
    parameters = {**given, "user_id": user_id, "limit": query.limit}
    if query.after is not None:
        parameters |= {"after_value": query.after.value, "after_id": query.after.id}
    return _page(frozenset(conditions), query.sort, _parts(query), query.after is not None), parameters


def _parts(query: Query) -> tuple[Part, ...]:
    if query.sort.field != "due_at":
        return (Part.WHOLE,)
    if query.after is not None and query.after.value is None:
        return (Part.UNDATED,)
    bounded = query.filters.due_after is not None or query.filters.due_before is not None
    return (Part.DATED,) if bounded else (Part.DATED, Part.UNDATED)


@lru_cache(maxsize=1024)
def _page(conditions: frozenset[str], sort: Sort, parts: tuple[Part, ...], follows: bool) -> Select[*tuple[Any, ...]]:
    if len(parts) == 1:
        return _page_of_part(conditions, sort, parts[0], follows)
    # One statement, for a consistent snapshot: with two, a task whose date is cleared in between would appear twice.
    dated = _page_of_part(conditions, sort, Part.DATED, follows).cte("dated")
    left: ColumnElement[int] = (
        bindparam("limit", type_=Integer) - select(func.count()).select_from(dated).scalar_subquery()
    )
    undated = _page_of_part(conditions, sort, Part.UNDATED, follows=False).limit(left).cte("undated")
    both = union_all(select(dated, literal(0).label("part")), select(undated, literal(1).label("part"))).subquery()
    order = (both.c[SORT_COLUMNS[sort.field].name], both.c.id)
    shown = select(*(column for column in both.c if column.name != "part"))
    return shown.order_by(both.c.part, *(column.desc() if sort.descending else column for column in order))


def _page_of_part(conditions: frozenset[str], sort: Sort, part: Part, follows: bool) -> Select[*tuple[Any, ...]]:
    column = SORT_COLUMNS[sort.field]
    statement = TAGGED.where(TASKS.user_id == bindparam("user_id"), *(CONDITIONS[name] for name in sorted(conditions)))
    if part is not Part.WHOLE:
        statement = statement.where(column.is_(None) if part is Part.UNDATED else column.is_not(None))
    place = {"after_value": column, "after_id": TASKS.id}
    if part is Part.UNDATED:
        del place["after_value"]
    if follows:
        here = tuple_(*place.values())
        there = tuple_(*(bindparam(name, type_=column.type) for name, column in place.items()))
        statement = statement.where(here < there if sort.descending else here > there)
    order = (column.desc() if sort.descending else column for column in place.values())
    return statement.order_by(*order).limit(bindparam("limit"))


def task_of(row: Sequence[Any], tags: tuple[str, ...] = ()) -> Task:
    """Return the task of a row of COLUMNS."""
    user_id, task_id, title, description, status, due_at, created_at, updated_at, version, remind_at, attachments = row
    return Task(
        task_id,
        user_id,
        title,
        description,
        Status(status),
        due_at,
        created_at,
        updated_at,
        version,
        tags,
        remind_at,
        attachments,
    )


def tagged(user_id: UUID, row: Sequence[Any]) -> Task:
    """Return the task of a row of TAGGED, whose tasks are this user's."""
    *values, tags = row
    return task_of((user_id, *values), tag_forms(tags.split(SEPARATOR)) if tags else ())


def _literal(text: str) -> str:
    """Escape a text for LIKE."""
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return text
