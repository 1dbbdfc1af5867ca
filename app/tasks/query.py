"""Query of tasks: filters, order, position."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.text import fold
from app.tasks.model import Status, Task

TITLE_KEY_LENGTH = 200
"""Characters of a folded title that are sorted by; then the id decides. Keeps index rows small."""


class Sort(StrEnum):
    """Sort orders. Tasks without a due date come last in both directions; the id breaks ties."""

    CREATED = "created_at"
    CREATED_DOWN = "-created_at"
    UPDATED = "updated_at"
    UPDATED_DOWN = "-updated_at"
    DUE = "due_at"
    DUE_DOWN = "-due_at"
    TITLE = "title"
    TITLE_DOWN = "-title"

    @property
    def field(self) -> str:
        return self.value.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.value.startswith("-")


@dataclass(frozen=True)
class Filters:
    status: Status | None = None
    q: str | None = None
    """Text in the title or description, case-insensitive."""
    due_after: datetime | None = None
    """Due at this time or later."""
    due_before: datetime | None = None
    """Due earlier than this time."""
    tag: str | None = None
    """Normalised by `tag_form`."""


@dataclass(frozen=True)
class Position:
    """End of a page: sort value and id of its last task."""

    value: datetime | str | None
    id: UUID


@dataclass(frozen=True)
class Query:
    filters: Filters = Filters()
    sort: Sort = Sort.CREATED_DOWN
    limit: int = 20
    after: Position | None = None


@dataclass(frozen=True)
class Page:
    items: list[Task]
    next: Position | None
    """None on the last page."""


def title_key(title: str) -> str:
    """Return the sort key of a title."""
    return fold(title)[:TITLE_KEY_LENGTH]


def search_text(title: str, description: str) -> str:
    """Return the text that `q` is matched against."""
    return fold(f"{title}\n{description}")


def position(task: Task, sort: Sort) -> Position:
    """Return the position of a task in an order."""
    if sort.field == "title":
        return Position(title_key(task.title), task.id)
    value: datetime | None = getattr(task, sort.field)
    return Position(value, task.id)
