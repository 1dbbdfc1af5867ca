"""Domain model of the tasks service."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.text import fold

LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 10_000
LONGEST_TAG = 50
"""Characters, in the form in which each is stored."""

MOST_TAGS = 20
"""Tags per task."""


class Status(StrEnum):
    TODO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"


@dataclass(frozen=True)
class Task:
    id: UUID
    user_id: UUID
    title: str
    description: str
    status: Status
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    """Counts the changes, from 1."""
    tags: tuple[str, ...] = ()
    """Normalised by `tag_form`, unique, sorted."""
    remind_at: datetime | None = None
    """Time of the reminder."""
    attachments: int = 0
    """Number of attachments."""


class Unset:
    """Type of UNSET: a field that a patch leaves unchanged (None clears it)."""


UNSET = Unset()


@dataclass(frozen=True)
class TaskCreate:
    title: str
    description: str = ""
    status: Status = Status.TODO
    due_at: datetime | None = None
    tags: tuple[str, ...] = ()
    remind_at: datetime | None = None


@dataclass(frozen=True)
class TaskPatch:
    title: str | Unset = UNSET
    description: str | Unset = UNSET
    status: Status | Unset = UNSET
    due_at: datetime | Unset | None = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    remind_at: datetime | Unset | None = UNSET


@dataclass(frozen=True)
class Attachment:
    """A file of a task; its id is also the key in the file store."""

    id: UUID
    task_id: UUID
    user_id: UUID
    name: str
    content_type: str
    size: int
    created_at: datetime


@dataclass(frozen=True)
class TagCount:
    name: str
    count: int


@dataclass(frozen=True)
class BulkOutcome:
    """Result of a bulk change: each id is in one of the two, in the order of the request."""

    done: tuple[UUID, ...]
    missing: tuple[UUID, ...]


def tag_form(text: str) -> str:
    """Return the normal form in which a tag is stored and compared: case, Unicode form and outer space don't matter."""
    return " ".join(fold(text).split())


def tag_forms(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the normalised tags of a task, unique and sorted."""
    return tuple(sorted({tag_form(text) for text in texts}))
