"""Ports of the tasks service."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.core.events.model import Outbox
from app.core.idempotency import IdempotencyKeys
from app.core.objects.model import Objects
from app.tasks.model import Attachment, TagCount, Task
from app.tasks.query import Query


class Tasks(Protocol):
    def add(self, task: Task) -> None: ...

    def get(self, user_id: UUID, task_id: UUID, *, for_update: bool = False) -> Task | None:
        """Return a task of this user; `for_update` locks the row until the transaction ends."""

    def replace(self, task: Task) -> None: ...

    def delete(self, user_id: UUID, task_id: UUID) -> Task | None:
        """Delete a task of this user, and return it if there was one, without its tags."""

    def find(self, user_id: UUID, query: Query) -> list[Task]:
        """Return up to `query.limit` tasks of this user, in order, after `query.after`."""

    def tags(self, user_id: UUID) -> list[TagCount]:
        """Return the tags of this user's tasks, sorted, each with its number of tasks."""


class DueTasks(Protocol):
    """Tasks that are not done and have a time that has come: a reminder, or the due date."""

    def any_due(self, now: datetime) -> bool:
        """Return whether there is such a task, of which nothing has been published for that time."""

    def claim(self, now: datetime, limit: int) -> list[Task]:
        """Return such tasks, without tags, and mark these times as published.

        Concurrent callers never get the same task.
        """


class Attachments(Protocol):
    def add(self, attachment: Attachment, quota: int) -> bool:
        """Store an attachment; return False, with nothing stored, if it would exceed the user's quota in bytes."""

    def used(self, user_id: UUID) -> int:
        """Return the total bytes of this user's attachments."""

    def of_task(self, user_id: UUID, task_id: UUID) -> list[Attachment]:
        """Return the attachments of a task of this user, the oldest first."""

    def delete(self, user_id: UUID, task_id: UUID, attachment_id: UUID) -> bool:
        """Delete an attachment of this user; return whether there was one."""

    def delete_of(self, user_id: UUID, task_ids: Sequence[UUID]) -> list[UUID]:
        """Delete all attachments of these tasks of this user, and return their ids."""


class TaskWork(Protocol):
    """The tasks tables within one transaction."""

    @property
    def tasks(self) -> Tasks: ...

    @property
    def reminders(self) -> DueTasks: ...

    @property
    def due_dates(self) -> DueTasks: ...

    @property
    def attachments(self) -> Attachments: ...

    @property
    def objects(self) -> Objects: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def idempotency_keys(self) -> IdempotencyKeys: ...


class TaskStorage(Protocol):
    def read(self) -> AbstractContextManager[TaskWork]:
        """Open a read-only transaction."""

    def read_of(self, user_id: UUID) -> AbstractContextManager[TaskWork]:
        """Open a read-only transaction with read-your-writes for this user, perhaps on a replica."""

    def write(self) -> AbstractContextManager[TaskWork]:
        """Open a transaction that commits when its block ends without an exception."""
