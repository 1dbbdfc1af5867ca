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
        """Return a task of this user; `for_update` holds it until the transaction ends."""

    def replace(self, task: Task) -> None: ...

    def delete(self, user_id: UUID, task_id: UUID) -> Task | None:
        """Delete a task of this user, and return it if there was one, without its tags."""

    def find(self, user_id: UUID, query: Query) -> list[Task]:
        """Return up to `query.limit` tasks of this user, in order, after `query.after`."""

    def tags(self, user_id: UUID) -> list[TagCount]:
        """Return the tags of this user's tasks in order, each with how many have it."""


class Reminders(Protocol):
    def any_due(self, now: datetime) -> bool:
        """Tell whether somebody is to be reminded of a task that is not done."""

    def claim(self, now: datetime, limit: int) -> list[Task]:
        """Return such tasks, without their tags, and note that their owners are reminded for the time that they say.

        Of any number of callers at the same time, one gets a task.
        """


class Attachments(Protocol):
    def add(self, attachment: Attachment, quota: int) -> bool:
        """Store an attachment, unless this user's would then take more than `quota` bytes; say whether it is stored."""

    def used(self, user_id: UUID) -> int:
        """Return the bytes of this user's attachments together."""

    def of_task(self, user_id: UUID, task_id: UUID) -> list[Attachment]:
        """Return the attachments of a task of this user, the oldest first."""

    def delete(self, user_id: UUID, task_id: UUID, attachment_id: UUID) -> bool:
        """Delete an attachment of this user, and say whether there was one."""

    def delete_of(self, user_id: UUID, task_ids: Sequence[UUID]) -> list[UUID]:
        """Delete all attachments of these tasks of this user, and return their identifiers."""


class TaskWork(Protocol):
    """The tasks tables within one transaction."""

    @property
    def tasks(self) -> Tasks: ...

    @property
    def reminders(self) -> Reminders: ...

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
        """Open a transaction that only reads."""

    def read_of(self, user_id: UUID) -> AbstractContextManager[TaskWork]:
        """Open a transaction that reads this user's data: perhaps a copy of it, with all that the user has written."""

    def write(self) -> AbstractContextManager[TaskWork]:
        """Open a transaction that commits when its block ends well."""
