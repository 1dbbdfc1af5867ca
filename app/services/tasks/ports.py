"""What the tasks service needs from outside."""

from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from app.platform.events import Outbox
from app.services.tasks.listing import Query
from app.services.tasks.model import Task


class Tasks(Protocol):
    def add(self, task: Task) -> None: ...

    def get(self, user_id: UUID, task_id: UUID, *, for_update: bool = False) -> Task | None:
        """Return a task of this user; `for_update` holds it until the transaction ends."""

    def replace(self, task: Task) -> None: ...

    def delete(self, user_id: UUID, task_id: UUID) -> bool:
        """Delete a task of this user, and say whether there was one."""

    def find(self, user_id: UUID, query: Query) -> list[Task]:
        """Return up to `query.limit` tasks of this user, in order, after `query.after`."""


class TaskWork(Protocol):
    """The tasks tables within one transaction."""

    @property
    def tasks(self) -> Tasks: ...

    @property
    def outbox(self) -> Outbox: ...


class TaskStorage(Protocol):
    def read(self) -> AbstractContextManager[TaskWork]:
        """Open a transaction that only reads."""

    def write(self) -> AbstractContextManager[TaskWork]:
        """Open a transaction that commits when its block ends well."""
