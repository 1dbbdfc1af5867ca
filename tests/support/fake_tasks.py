"""Fakes for the rules of tasks and attachments: repositories in memory."""

import collections
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.idempotency import IdempotencyKey
from app.core.objects.model import StoredObject
from app.tasks.model import Attachment, TagCount, Task
from app.tasks.query import Query


@dataclass
class FakeTasks:
    rows: dict[UUID, Task] = field(default_factory=dict)
    locked: list[UUID] = field(default_factory=list)
    """Which were read in order to be changed, in this order."""

    def add(self, task: Task) -> None:
        self.rows[task.id] = task

    def get(self, user_id: UUID, task_id: UUID, *, for_update: bool = False) -> Task | None:
        if for_update:
            self.locked.append(task_id)
        task = self.rows.get(task_id)
        return task if task and task.user_id == user_id else None

    def replace(self, task: Task) -> None:
        assert task.id in self.locked, "somebody else may have changed it since it was read"
        self.rows[task.id] = task

    def delete(self, user_id: UUID, task_id: UUID) -> Task | None:
        return self.rows.pop(task_id) if self.get(user_id, task_id) else None

    def find(self, user_id: UUID, query: Query) -> list[Task]:
        """Newest first, unfiltered: order and filters are tested against the database."""
        mine = sorted((task for task in self.rows.values() if task.user_id == user_id), key=lambda task: task.id)
        after = query.after
        return [task for task in reversed(mine) if after is None or task.id < after.id][: query.limit]

    def tags(self, user_id: UUID) -> list[TagCount]:
        counts = collections.Counter(tag for task in self.rows.values() if task.user_id == user_id for tag in task.tags)
        return [TagCount(name, counts[name]) for name in sorted(counts)]


class FakeReminders:
    """No reminders: due ones are tested against the database."""

    def any_due(self, now: datetime) -> bool:
        del now
        return False

    def claim(self, now: datetime, limit: int) -> list[Task]:
        del now, limit
        return []


@dataclass
class FakeIdempotencyKeys:
    rows: dict[tuple[UUID, str], tuple[str, Any, datetime]] = field(default_factory=dict)

    def get(self, user_id: UUID, key: str, since: datetime) -> tuple[str, Any] | None:
        row = self.rows.get((user_id, key))
        return row[:2] if row and row[2] >= since else None

    def add(self, user_id: UUID, key: IdempotencyKey, result: Any, now: datetime) -> None:
        self.rows[user_id, key.key] = (key.digest, result, now)


@dataclass
class FakeAttachments:
    rows: list[Attachment] = field(default_factory=list)

    def add(self, attachment: Attachment, quota: int) -> bool:
        fits = self.used(attachment.user_id) + attachment.size <= quota
        if fits:
            self.rows.append(attachment)
        return fits

    def used(self, user_id: UUID) -> int:
        return sum(row.size for row in self.rows if row.user_id == user_id)

    def of_task(self, user_id: UUID, task_id: UUID) -> list[Attachment]:
        return [row for row in self.rows if (row.user_id, row.task_id) == (user_id, task_id)]

    def delete(self, user_id: UUID, task_id: UUID, attachment_id: UUID) -> bool:
        found = [row for row in self.of_task(user_id, task_id) if row.id == attachment_id]
        self.rows = [row for row in self.rows if row not in found]
        return bool(found)

    def delete_of(self, user_id: UUID, task_ids: Sequence[UUID]) -> list[UUID]:
        found = [row for task_id in task_ids for row in self.of_task(user_id, task_id)]
        self.rows = [row for row in self.rows if row not in found]
        return [row.id for row in found]


@dataclass
class FakeObjects:
    """Files, and the time from which each is unlinked."""

    rows: dict[UUID, tuple[StoredObject, datetime | None]] = field(default_factory=dict)

    def add(self, stored: StoredObject, loose_from: datetime) -> None:
        self.rows[stored.key] = (stored, loose_from)

    def get(self, key: UUID) -> StoredObject | None:
        stored, loose_from = self.rows.get(key, (None, None))
        return stored if loose_from is None else None

    def link(self, key: UUID, now: datetime) -> bool:
        stored, loose_from = self.rows[key]
        self.rows[key] = (stored, None)
        return loose_from is not None and loose_from > now

    def unlink(self, keys: Sequence[UUID], now: datetime) -> None:
        for key in keys:
            self.rows[key] = (self.rows[key][0], now)

    def expire_unlinked(self, key: UUID, now: datetime) -> None:
        stored, loose_from = self.rows[key]
        self.rows[key] = (stored, loose_from and now)

    def unlinked(self, now: datetime, limit: int) -> list[UUID]:
        return [key for key, (_, since) in self.rows.items() if since is not None and since <= now][:limit]

    def delete(self, keys: Sequence[UUID]) -> None:
        for key in keys:
            del self.rows[key]
