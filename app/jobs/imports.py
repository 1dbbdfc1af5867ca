"""CSV import: a batch of tasks at a time, with a report of each line that is refused."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import UUID

from app.jobs.csv_lines import Lines, Record, records
from app.jobs.model import HopelessError, Job, Step
from app.platform.clock import Clock, NewId
from app.platform.events import Event
from app.platform.text import LINE, nfc
from app.services.tasks.events import SNAPSHOT, snapshot
from app.services.tasks.model import (
    LONGEST_DESCRIPTION,
    LONGEST_TAG,
    LONGEST_TITLE,
    MOST_TAGS,
    Status,
    Task,
    tag_forms,
)
from app.storage.bulk import add_tasks
from app.storage.work import SqlWork

UPLOAD = "upload"
PIECE = 1 << 19
"""Bytes of each piece of an uploaded file, the last one aside."""

BATCH = 5000
"""Lines of a step at most: a transaction of about a quarter of a second on PostgreSQL."""

BATCH_BYTES = 4 << 20
"""Bytes of the file of a step, about: of long lines a step takes fewer, so that memory stays the same."""

TAG_DELIMITER = ";"
"""Between the tags of a task, in their cell; a tag that contains it stands in quotes."""

COLUMNS = ("title", "description", "status", "due_at", "tags")
ONE_LINE = re.compile(LINE)
RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


class RefusedError(Exception):
    """The line is no task; the message says why."""


class ImportTasks:
    """Imports tasks from the upload of the job."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: SqlWork, job: Job) -> Step:
        assert job.user_id is not None  # noqa: S101 an import is somebody's
        lines = Lines(
            lambda index: work.files.piece(job.id, UPLOAD, index),
            PIECE,
            _number(job.checkpoint.get("offset")),
            _number(job.checkpoint.get("lines")),
        )
        found = records(lines)
        columns = job.checkpoint.get("columns") or _header(found)
        assert isinstance(columns, list)  # noqa: S101 as it was stored
        begun, finished = lines.offset, True
        some: list[Record] = []
        for record in found:
            some.append(record)
            if len(some) == BATCH or lines.offset - begun >= BATCH_BYTES:
                finished = False
                break
        batch = Batch(job.user_id, columns, self._clock(), self._new_id)
        add_tasks(work.session, job.user_id, batch.tasks(some))
        work.outbox.add_many(batch.events)
        work.files.refuse(job.id, batch.refused)
        if finished:
            work.files.drop(job.id, UPLOAD)
        return Step(
            finished=finished,
            checkpoint={"offset": lines.offset, "lines": lines.lines, "columns": columns},
            done=job.done + len(some),
            total=job.done + len(some) if finished else job.total,
            refused=job.refused + len(batch.refused),
        )


class Batch:
    """Makes tasks of records as they are asked for, and notes what follows from those it has made.

    Attributes: events tell of the tasks; refused are the lines that are none, each with its reason and how it begins.
    """

    def __init__(self, user_id: UUID, columns: list[str], now: datetime, new_id: NewId) -> None:
        self.events: list[Event] = []
        self.refused: list[tuple[int, str, str]] = []
        self._user_id = user_id
        self._columns = columns
        self._now = now
        self._new_id = new_id

    def tasks(self, records: Iterable[Record]) -> Iterator[Task]:
        accepted = self._accepted(records)
        while some := list(islice(accepted, SNAPSHOT)):
            self.events.append(snapshot(self._user_id, some, self._new_id, self._now))
            yield from some

    def _accepted(self, records: Iterable[Record]) -> Iterator[Task]:
        now = self._now
        for record in records:
            try:
                values = _cells(record, self._columns)
            except RefusedError as error:
                self.refused.append((record.line, str(error), _shown(record.text)))
            else:
                yield Task(
                    id=self._new_id(), user_id=self._user_id, created_at=now, updated_at=now, version=1, **values
                )


def _header(found: Iterator[Record]) -> list[str]:
    first = next(found, None)
    if first is None:
        raise HopelessError("The file is empty.")
    names = [name.strip().lower() for name in first.cells] if isinstance(first.cells, list) else []
    if "title" not in names or len(set(names)) < len(names) or not set(names) <= set(COLUMNS):
        raise HopelessError(f"The first line must name the columns: title, and any of {', '.join(COLUMNS[1:])}.")
    return names


def _cells(record: Record, columns: list[str]) -> dict[str, Any]:
    if isinstance(record.cells, str):
        raise RefusedError(record.cells)
    if len(record.cells) != len(columns):
        raise RefusedError(f"has {len(record.cells)} cells, the first line names {len(columns)} columns")
    return {"description": "", "status": Status.TODO, "due_at": None} | {
        name: READERS[name](cell) for name, cell in zip(columns, record.cells, strict=True)
    }


def _title(cell: str) -> str:
    title = nfc(_prose(cell)).strip()
    if len(title) > LONGEST_TITLE:
        raise RefusedError(f"title: has more than {LONGEST_TITLE} characters")
    if not ONE_LINE.fullmatch(title):
        raise RefusedError("title: must be one line of text, and not blank")
    return title


def _description(cell: str) -> str:
    description = nfc(_prose(cell))
    if len(description) > LONGEST_DESCRIPTION:
        raise RefusedError(f"description: has more than {LONGEST_DESCRIPTION} characters")
    return description


def _prose(cell: str) -> str:
    if "\x00" in cell:
        raise RefusedError("must not contain NUL characters")
    if not cell.isascii() and any("\ud800" <= character <= "\udfff" for character in cell):
        raise RefusedError("is not UTF-8")
    return cell


def _status(cell: str) -> Status:
    try:
        return Status(cell.strip().lower() or "todo")
    except ValueError:
        raise RefusedError("status: must be todo, in_progress or done") from None


def _due_at(cell: str) -> datetime | None:
    text = cell.strip()
    if not text:
        return None
    if not RFC3339.fullmatch(text):
        raise RefusedError("due_at: must be a time with an offset, like 2030-01-31T12:00:00Z (RFC 3339)")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RefusedError("due_at: is not a time that exists") from None


@lru_cache(maxsize=1024)  # most tasks of a file bear the same few
def _tags(cell: str) -> tuple[str, ...]:
    if not cell.strip():
        return ()
    given = [tag for tag in next(csv.reader([_prose(cell)], delimiter=TAG_DELIMITER), []) if tag.strip()]
    if not all(ONE_LINE.fullmatch(tag) for tag in given):
        raise RefusedError("tags: each must be one line of text, and not blank")
    tags = tag_forms(given)
    if len(given) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise RefusedError(f"tags: at most {MOST_TAGS}, of {LONGEST_TAG} characters each")
    return tags


READERS: dict[str, Callable[[str], object]] = {
    "title": _title,
    "description": _description,
    "status": _status,
    "due_at": _due_at,
    "tags": _tags,
}


def _shown(text: str) -> str:
    """Return the begin of a line as any database takes it."""
    return text.rstrip("\r\n").replace("\x00", "\ufffd").encode(errors="replace").decode()[:200]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
