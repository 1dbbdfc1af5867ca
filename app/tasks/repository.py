"""Repository of the tasks service."""

from collections import Counter
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, func, insert, literal, select, tuple_, update
from sqlalchemy.orm import Session

from app.core.database.user_versions import touch
from app.core.text import nfc
from app.tasks.list_statements import COLUMNS, ONE, SEPARATOR, TAGS_OF_TASK, page, tagged, task_of
from app.tasks.model import TagCount, Task, tag_form, tag_forms
from app.tasks.query import Query, search_text, title_key
from app.tasks.tables import TaskRow, TaskTagRow

ADD = insert(cast("Table", TaskRow.__table__))
ADD_TAGS = insert(cast("Table", TaskTagRow.__table__))

WRITTEN = select(*COLUMNS, TaskRow.title_key, TaskRow.search_text, TAGS_OF_TASK)
"""Tasks with the columns derived from their texts."""


class SqlTasks:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, task: Task) -> None:
        touch(self._session, task.user_id)
        self._session.execute(ADD, values_of(task))
        self._add_tags(task)

    def get(self, user_id: UUID, task_id: UUID, *, for_update: bool = False) -> Task | None:
        if not for_update:
            row = self._session.execute(ONE, {"id": task_id, "user_id": user_id}).first()
            return tagged(user_id, row) if row else None
        mine = select(*COLUMNS).where(TaskRow.id == task_id, TaskRow.user_id == user_id)
        # Ignored by SQLite, which has no row locks: its write transaction locks the whole database.
        row = self._session.execute(mine.with_for_update()).first()
        if row is None:
            return None
        # A second statement: the one above may have waited for the row lock, and its snapshot would have former tags.
        tags = select(TaskTagRow.tag).where(TaskTagRow.task_id == task_id)
        return task_of(row, tag_forms(self._session.scalars(tags)))

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
        row = self._session.execute(mine.returning(*COLUMNS)).first()
        return task_of(row) if row else None

    def delete_some(self, user_id: UUID, limit: int) -> list[UUID]:
        chosen = select(TaskRow.id).where(TaskRow.user_id == user_id).limit(limit)
        ids = list(self._session.scalars(chosen))
        self._session.execute(delete(TaskTagRow).where(TaskTagRow.task_id.in_(ids)))
        self._session.execute(delete(TaskRow).where(TaskRow.id.in_(ids)))
        return ids

    def find(self, user_id: UUID, query: Query) -> list[Task]:
        return [tagged(user_id, row) for row in self._session.execute(*page(user_id, query))]

    def all_after(self, after: tuple[UUID, datetime, UUID] | None, limit: int) -> list[Task]:
        """Return tasks of all users, without tags, ordered by user, creation and id, past `after`."""
        place = (TaskRow.user_id, TaskRow.created_at, TaskRow.id)
        statement = select(*COLUMNS).order_by(*place).limit(limit)
        if after is not None:
            last = (literal(value, column.type) for value, column in zip(after, place, strict=True))
            statement = statement.where(tuple_(*place) > tuple_(*last))
        return [task_of(row) for row in self._session.execute(statement)]

    def written(self, after: UUID | None, limit: int) -> list[tuple[Task, bool]]:
        """Return tasks of all users, ordered by id, past `after`, each with whether its row is in normal form."""
        statement = WRITTEN.order_by(TaskRow.id).limit(limit)
        if after is not None:
            statement = statement.where(TaskRow.id > after)
        found = []
        for *values, key, searched, tags in self._session.execute(statement):
            task = task_of(values)
            texts = (task.title, task.description, key, searched)
            normal = (nfc(task.title), nfc(task.description), title_key(task.title), search_text(*texts[:2]))
            stored = tags.split(SEPARATOR) if tags else []
            found.append((task, texts == normal and sorted(stored) == list(tag_forms(stored))))
        return found

    def tags(self, user_id: UUID) -> list[TagCount]:
        statement = select(TaskTagRow.tag, func.count()).where(TaskTagRow.user_id == user_id).group_by(TaskTagRow.tag)
        counts: Counter[str] = Counter()
        for tag, count in self._session.execute(statement):
            counts[tag_form(tag)] += count
        return [TagCount(name, count) for name, count in sorted(counts.items())]

    def _add_tags(self, task: Task) -> None:
        if task.tags:
            rows = [{"task_id": task.id, "tag": tag, "user_id": task.user_id} for tag in task.tags]
            self._session.execute(ADD_TAGS, rows)


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
