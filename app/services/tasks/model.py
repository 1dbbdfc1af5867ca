"""What the tasks service speaks of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


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


class Unset:
    """The type of UNSET: a field that a change leaves as it is (None would clear it)."""


UNSET = Unset()


@dataclass(frozen=True)
class Draft:
    title: str
    description: str = ""
    status: Status = Status.TODO
    due_at: datetime | None = None


@dataclass(frozen=True)
class Change:
    title: str | Unset = UNSET
    description: str | Unset = UNSET
    status: Status | Unset = UNSET
    due_at: datetime | Unset | None = UNSET
