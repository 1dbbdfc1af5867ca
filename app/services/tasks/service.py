"""The rules of tasks. Everybody sees their own, and of anybody else's not even that they exist."""

from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from app.platform.clock import Clock, NewId
from app.platform.errors import NotFoundError
from app.services.tasks.listing import Page, Query, position
from app.services.tasks.model import Change, Draft, Task, Unset
from app.services.tasks.ports import TaskStorage

NO_SUCH_TASK = "There is no such task."


class TaskService:
    def __init__(self, storage: TaskStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    def create(self, user_id: UUID, draft: Draft) -> Task:
        now = self._clock()
        task = Task(
            id=self._new_id(),
            user_id=user_id,
            title=draft.title,
            description=draft.description,
            status=draft.status,
            due_at=draft.due_at,
            created_at=now,
            updated_at=now,
            version=1,
        )
        with self._storage.write() as work:
            work.tasks.add(task)
        return task

    def get(self, user_id: UUID, task_id: UUID) -> Task:
        """Return a task of this user. Raises NotFoundError."""
        with self._storage.read() as work:
            task = work.tasks.get(user_id, task_id)
        if task is None:
            raise NotFoundError(NO_SUCH_TASK)
        return task

    def update(self, user_id: UUID, task_id: UUID, change: Change) -> Task:
        """Change what the change names. One that changes nothing leaves version and time as they are.

        Raises:
            NotFoundError: this user has no such task.
        """
        values: dict[str, Any] = {
            field.name: value for field in fields(change) if not isinstance(value := getattr(change, field.name), Unset)
        }
        with self._storage.write() as work:
            task = work.tasks.get(user_id, task_id, for_update=True)
            if task is None:
                raise NotFoundError(NO_SUCH_TASK)
            changed = replace(task, **values)
            if changed == task:
                return task
            changed = replace(changed, updated_at=self._clock(), version=task.version + 1)
            work.tasks.replace(changed)
        return changed

    def delete(self, user_id: UUID, task_id: UUID) -> None:
        """Delete a task of this user. Raises NotFoundError."""
        with self._storage.write() as work:
            if not work.tasks.delete(user_id, task_id):
                raise NotFoundError(NO_SUCH_TASK)

    def page(self, user_id: UUID, query: Query) -> Page:
        """Return one page."""
        # One more than asked for tells whether there is a next page.
        with self._storage.read() as work:
            tasks = work.tasks.find(user_id, replace(query, limit=query.limit + 1))
        items = tasks[: query.limit]
        more = len(tasks) > query.limit
        return Page(items, position(items[-1], query.sort) if more else None)
