"""Repository of the tasks service."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.services.tasks.listing import Filters, Position, Query, Sort, fold, search_text, title_key
from app.services.tasks.model import Status, TagCount, Task
from app.storage.models.tasks import TaskRow, TaskTagRow
from app.storage.versions import touch

SORT_COLUMNS: dict[str, InstrumentedAttribute[object]] = {
    "created_at": TaskRow.created_at,
    "updated_at": TaskRow.updated_at,
    "due_at": TaskRow.due_at,
    "title": TaskRow.title_key,
}


class SqlTasks:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, task: Task) -> None:
        touch(self._session, task.user_id)
        self._session.add(TaskRow(**values_of(task)))
        self._session.flush()
        self._add_tags(task)

    def get(self, user_id: UUID, task_id: UUID, *, for_update: bool = False) -> Task | None:
        statement = select(TaskRow).where(TaskRow.id == task_id, TaskRow.user_id == user_id)
        if for_update:
            # SQLite knows no row locks and ignores this: its writer already holds the whole database.
            statement = statement.with_for_update()
        row = self._session.scalar(statement)
        return self._with_tags([row])[0] if row else None

    def replace(self, task: Task) -> None:
        touch(self._session, task.user_id)
        self._session.execute(
            update(TaskRow).where(TaskRow.id == task.id, TaskRow.user_id == task.user_id).values(**values_of(task))
        )
        self._session.execute(delete(TaskTagRow).where(TaskTagRow.task_id == task.id))
        self._add_tags(task)

    def delete(self, user_id: UUID, task_id: UUID) -> Task | None:
        touch(self._session, user_id)
        mine = delete(TaskRow).where(TaskRow.id == task_id, TaskRow.user_id == user_id)
        row = self._session.scalar(mine.returning(TaskRow))
        return task_of(row, ()) if row else None

    def find(self, user_id: UUID, query: Query) -> list[Task]:
        """Return a page. The dated part and the undated part of an order by due date are asked for one by one: each
        is then a plain range of an index, which an `OR` over both would not be."""
        base = select(TaskRow).where(TaskRow.user_id == user_id, *_conditions(query.filters))
        if query.sort.field != "due_at":
            return self._fetch(_ordered(base, query.sort, query.after), query.limit)
        tasks: list[Task] = []
        if query.after is None or query.after.value is not None:
            dated = base.where(TaskRow.due_at.is_not(None))
            tasks = self._fetch(_ordered(dated, query.sort, query.after), query.limit)
        bounded = query.filters.due_after is not None or query.filters.due_before is not None
        if len(tasks) < query.limit and not bounded:
            after = query.after if query.after and query.after.value is None else None
            undated = base.where(TaskRow.due_at.is_(None))
            tasks += self._fetch(_by_id(undated, query.sort, after), query.limit - len(tasks))
        return tasks

    def everybodys(self, after: tuple[UUID, datetime, UUID] | None, limit: int) -> list[Task]:
        """Return tasks of all users, without tags, by user, creation and identifier, past a task named by these."""
        place = (TaskRow.user_id, TaskRow.created_at, TaskRow.id)
        statement = select(TaskRow).order_by(*place).limit(limit)
        if after is not None:
            last = (literal(value, column.type) for value, column in zip(after, place, strict=True))
            statement = statement.where(tuple_(*place) > tuple_(*last))
        return [task_of(row, ()) for row in self._session.scalars(statement)]

    def _fetch(self, statement: Select[TaskRow], limit: int) -> list[Task]:
        return self._with_tags(self._session.scalars(statement.limit(limit)).all())

    def tags(self, user_id: UUID) -> list[TagCount]:
        statement = (
            select(TaskTagRow.tag, func.count())
            .where(TaskTagRow.user_id == user_id)
            .group_by(TaskTagRow.tag)
            .order_by(TaskTagRow.tag)
        )
        return [TagCount(name, count) for name, count in self._session.execute(statement)]

    def _add_tags(self, task: Task) -> None:
        if task.tags:
            rows = [{"task_id": task.id, "tag": tag, "user_id": task.user_id} for tag in task.tags]
            self._session.execute(insert(TaskTagRow), rows)

    def _with_tags(self, rows: Sequence[TaskRow]) -> list[Task]:
        found: dict[UUID, list[str]] = {row.id: [] for row in rows}
        if found:
            statement = select(TaskTagRow.task_id, TaskTagRow.tag).where(TaskTagRow.task_id.in_(found))
            for task_id, tag in self._session.execute(statement.order_by(TaskTagRow.tag)):
                found[task_id].append(tag)
        return [task_of(row, tuple(found[row.id])) for row in rows]


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.status is not None:
        conditions.append(TaskRow.status == filters.status.value)
    if filters.q:
        # autoescape: % and _ in the text stand for themselves
        conditions.append(TaskRow.search_text.contains(fold(filters.q), autoescape=True))
    if filters.due_after is not None:
        conditions.append(TaskRow.due_at >= filters.due_after)
    if filters.due_before is not None:
        conditions.append(TaskRow.due_at < filters.due_before)
    if filters.tag is not None:
        tagged = (
            TaskTagRow.task_id == TaskRow.id,
            TaskTagRow.user_id == TaskRow.user_id,
            TaskTagRow.tag == filters.tag,
        )
        conditions.append(exists().where(*tagged))
    return conditions


def _ordered(statement: Select[TaskRow], sort: Sort, after: Position | None) -> Select[TaskRow]:
    column = SORT_COLUMNS[sort.field]
    if after is not None:
        here = tuple_(column, TaskRow.id)
        there = tuple_(literal(after.value, column.type), literal(after.id, TaskRow.id.type))
        statement = statement.where(here < there if sort.descending else here > there)
    if sort.descending:
        return statement.order_by(column.desc(), TaskRow.id.desc())
    return statement.order_by(column, TaskRow.id)


def _by_id(statement: Select[TaskRow], sort: Sort, after: Position | None) -> Select[TaskRow]:
    if after is not None:
        statement = statement.where(TaskRow.id < after.id if sort.descending else TaskRow.id > after.id)
    return statement.order_by(TaskRow.id.desc() if sort.descending else TaskRow.id)


def values_of(task: Task) -> dict[str, object]:
    return {
        "id": task.id,
        "user_id": task.user_id,
        "title": task.title,
        "description": task.description,
        "status": task.status.value,
        "due_at": task.due_at,
        "remind_at": task.remind_at,
        "attachments": task.attachments,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "version": task.version,
        "title_key": title_key(task.title),
        "search_text": search_text(task.title, task.description),
    }


def task_of(row: TaskRow, tags: tuple[str, ...]) -> Task:
    """Return the task of a row, with these tags."""
    return Task(
        id=row.id,
        user_id=row.user_id,
        title=row.title,
        description=row.description,
        status=Status(row.status),
        due_at=row.due_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        tags=tags,
        remind_at=row.remind_at,
        attachments=row.attachments,
    )
