"""Data export and erasure of a user's tasks."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Protocol
from uuid import UUID

from app.core.errors import NotFoundError
from app.core.objects.file_service import FileStore
from app.core.objects.model import Objects
from app.core.personal_data import DataFile, DataPage, json_file
from app.tasks.model import Attachment, Task
from app.tasks.query import Filters, Position, Query, Sort

PAGE = 1000
"""Tasks per file."""

MOST_BYTES = 8 << 20
"""Most bytes of attachments per page, unless a single one has more."""


class UsersTasks(Protocol):
    def find(self, user_id: UUID, query: Query) -> list[Task]:
        """Return up to `query.limit` tasks of this user, in order, after `query.after`."""

    def delete_some(self, user_id: UUID, limit: int) -> list[UUID]:
        """Delete up to `limit` tasks of a user with their tags, and return their ids."""


class UsersAttachments(Protocol):
    def of_user(self, user_id: UUID, after: UUID | None, limit: int) -> list[Attachment]:
        """Return up to `limit` attachments of a user, ordered by id, past `after`."""

    def delete_of(self, user_id: UUID, task_ids: Sequence[UUID]) -> list[UUID]:
        """Delete all attachments of these tasks of this user, and return their ids."""

    def delete_usage(self, user_id: UUID) -> int:
        """Delete a user's row of attachment usage; return the number of rows."""


class PersonalWork(Protocol):
    @property
    def tasks(self) -> UsersTasks: ...

    @property
    def attachments(self) -> UsersAttachments: ...

    @property
    def objects(self) -> Objects: ...


class TasksData:
    """Tasks with their tags and reminders: one JSON file per 1,000, oldest first."""

    def page(self, work: PersonalWork, user_id: UUID, after: str | None) -> DataPage:
        number, place = 1, None
        if after:
            last = json.loads(after)
            number, place = last["number"], Position(datetime.fromisoformat(last["at"]), UUID(last["id"]))
        tasks = work.tasks.find(user_id, Query(Filters(), Sort.CREATED, PAGE, after=place))
        files = [json_file(f"tasks-{number:04}.json", tasks)]
        if len(tasks) < PAGE:
            return DataPage(files)
        last_place = {"number": number + 1, "at": tasks[-1].created_at.isoformat(), "id": str(tasks[-1].id)}
        return DataPage(files, json.dumps(last_place))


class AttachmentsData:
    """Attachments as uploaded, one folder per task."""

    def __init__(self, file_store: FileStore) -> None:
        self._file_store = file_store

    def page(self, work: PersonalWork, user_id: UUID, after: str | None) -> DataPage:
        found = work.attachments.of_user(user_id, UUID(after) if after else None, PAGE)
        sizes = accumulate(attachment.size for attachment in found)
        chosen = found[: max(1, sum(size <= MOST_BYTES for size in sizes))]
        files = [DataFile(f"attachments/{each.task_id}/{each.id}/{each.name}", self._bytes(each.id)) for each in chosen]
        more = len(chosen) < len(found) or len(found) == PAGE
        return DataPage(files, str(chosen[-1].id) if more else None)

    def _bytes(self, key: UUID) -> Iterator[bytes]:
        try:
            yield from self._file_store.open(key)[1]
        except NotFoundError:
            return  # deleted concurrently


def erase(work: PersonalWork, user_id: UUID, now: datetime, limit: int) -> int:
    """Delete up to `limit` tasks of a user with tags and attachments, at last the usage row; return how many rows."""
    if tasks := work.tasks.delete_some(user_id, limit):
        if files := work.attachments.delete_of(user_id, tasks):
            work.objects.unlink(files, now)
        return len(tasks)
    return work.attachments.delete_usage(user_id)
