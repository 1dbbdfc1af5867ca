"""Task service; every operation is limited to the user's own tasks."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.database.retries import retried
from app.core.errors import InvalidError, NotFoundError, PreconditionError
from app.core.idempotency import IdempotencyKey, idempotent
from app.core.pagination import page_of
from app.tasks import events
from app.tasks.model import LONGEST_TAG, MOST_TAGS, BulkOutcome, TagCount, Task, TaskCreate, TaskPatch, Unset
from app.tasks.ports import TaskStorage, TaskWork
from app.tasks.query import Page, Query, position

NO_SUCH_TASK = "There is no such task."


class TaskService:
    def __init__(self, storage: TaskStorage, clock: Clock, new_id: NewId) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id

    def create(self, user_id: UUID, draft: TaskCreate, key: IdempotencyKey | None = None) -> Task:
        """Create a task; idempotent with a key.

        Raises:
            InvalidError: the key was used for another request.
        """

        def make(work: TaskWork) -> Task:
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
                tags=draft.tags,
                remind_at=draft.remind_at,
            )
            work.tasks.add(task)
            work.outbox.add(events.created(task, self._new_id))
            return task

        return idempotent(self._storage, user_id, key, make, Task, self._clock)

    @retried
    def get(self, user_id: UUID, task_id: UUID) -> Task:
        """Return a task of this user. Raises NotFoundError."""
        with self._storage.read_of(user_id) as work:
            task = work.tasks.get(user_id, task_id)
        if task is None:
            raise NotFoundError(NO_SUCH_TASK)
        return task

    def update(
        self,
        user_id: UUID,
        task_id: UUID,
        change: TaskPatch,
        expected: Sequence[int] | None = None,
        key: IdempotencyKey | None = None,
    ) -> Task:
        """Apply a patch. One that changes nothing leaves version and time unchanged.

        Args:
            user_id, task_id: the owner and the task.
            change: the patch.
            expected: acceptable versions of the task (precondition); None for any.
            key: as for `create`.

        Raises:
            NotFoundError: this user has no such task.
            PreconditionError: the task has another version.
            InvalidError: too many tags, or one too long; or as for `create`.
        """

        def make(work: TaskWork) -> Task:
            return self._change(work, get_for_update(work, user_id, task_id, expected), change)

        return idempotent(self._storage, user_id, key, make, Task, self._clock)

    @retried
    def delete(self, user_id: UUID, task_id: UUID, expected: Sequence[int] | None = None) -> None:
        """Delete a task of this user. Arguments and errors are those of `update`."""
        with self._storage.write() as work:
            get_for_update(work, user_id, task_id, expected)
            self._delete(work, user_id, [task_id])

    def change_many(
        self,
        user_id: UUID,
        task_ids: Sequence[UUID],
        change: Callable[[Task], TaskPatch],
        key: IdempotencyKey | None = None,
    ) -> BulkOutcome:
        """Change many tasks in one transaction; missing ones are reported.

        Args:
            user_id, task_ids: the owner and the tasks.
            change: returns the patch of a task.
            key: as for `create`.
        """

        def make(work: TaskWork) -> BulkOutcome:
            done = set()
            # Locked in the order of ids: overlapping requests can't deadlock.
            for task_id in sorted(set(task_ids)):
                task = work.tasks.get(user_id, task_id, for_update=True)
                if task is not None:
                    self._change(work, task, change(task))
                    done.add(task_id)
            return _outcome(task_ids, done)

        return idempotent(self._storage, user_id, key, make, BulkOutcome, self._clock)

    def delete_many(self, user_id: UUID, task_ids: Sequence[UUID], key: IdempotencyKey | None = None) -> BulkOutcome:
        """Delete many tasks in one transaction; missing ones are reported."""

        def make(work: TaskWork) -> BulkOutcome:
            return _outcome(task_ids, self._delete(work, user_id, sorted(set(task_ids))))

        return idempotent(self._storage, user_id, key, make, BulkOutcome, self._clock)

    @retried
    def page(self, user_id: UUID, query: Query) -> Page:
        """Return a page of tasks."""
        with self._storage.read_of(user_id) as work:
            items, last = page_of(query.limit, lambda most: work.tasks.find(user_id, replace(query, limit=most)))
        return Page(items, position(last, query.sort) if last else None)

    @retried
    def tags(self, user_id: UUID) -> list[TagCount]:
        """Return the tags in use, sorted, each with its number of tasks."""
        with self._storage.read_of(user_id) as work:
            return work.tasks.tags(user_id)

    def _delete(self, work: TaskWork, user_id: UUID, task_ids: Sequence[UUID]) -> set[UUID]:
        """Delete tasks with their tags and attachments; return the ids that existed."""
        deleted = []
        for task_id in task_ids:
            if task := work.tasks.delete(user_id, task_id):
                work.outbox.add(events.deleted(task, self._new_id, self._clock()))
                deleted.append(task_id)
        # After all tasks, as everywhere: the user's usage row is always the last to be locked.
        if files := work.attachments.delete_of(user_id, deleted):
            work.objects.unlink(files, self._clock())
        return set(deleted)

    def _change(self, work: TaskWork, task: Task, change: TaskPatch) -> Task:
        """Apply a patch and return the changed task."""
        values: dict[str, Any] = {
            field.name: value for field in fields(change) if not isinstance(value := getattr(change, field.name), Unset)
        }
        changed = replace(task, **values)
        if changed == task:
            return task
        if len(changed.tags) > MOST_TAGS:
            raise InvalidError("tags", f"a task has at most {MOST_TAGS} tags")
        # Existing tags may be older than this limit.
        if any(len(tag) > LONGEST_TAG for tag in set(changed.tags) - set(task.tags)):
            raise InvalidError("tags", f"a tag has at most {LONGEST_TAG} characters")
        changed = replace(changed, updated_at=self._clock(), version=task.version + 1)
        work.tasks.replace(changed)
        work.outbox.add(events.changed(changed, task, self._new_id))
        return changed


def get_for_update(work: TaskWork, user_id: UUID, task_id: UUID, expected: Sequence[int] | None = None) -> Task:
    """Return a task with its row locked. Errors are those of `update`."""
    task = work.tasks.get(user_id, task_id, for_update=True)
    if task is None:
        raise NotFoundError(NO_SUCH_TASK)
    if expected is not None and task.version not in expected:
        raise PreconditionError(f"The task has been changed meanwhile: it is at version {task.version}.")
    return task


def _outcome(asked: Sequence[UUID], done: set[UUID]) -> BulkOutcome:
    each = tuple(dict.fromkeys(asked))
    return BulkOutcome(tuple(one for one in each if one in done), tuple(one for one in each if one not in done))
