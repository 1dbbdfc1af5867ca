"""Conversion of import rows to task fields, by the rules of the API."""

import csv
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from app.core.csv_safety import as_written
from app.core.text import CONTROL as CONTROLS
from app.core.text import LINE, nfc
from app.tasks.csv_reader import Record
from app.tasks.import_dates import date_reader
from app.tasks.import_formats import FORMATS, STATUS_WORDS
from app.tasks.import_plan import Plan
from app.tasks.model import LONGEST_DESCRIPTION, LONGEST_TAG, LONGEST_TITLE, MOST_TAGS, Status, tag_forms

LONGEST_REASON = 200

ONE_LINE = re.compile(LINE)
CONTROL = re.compile(rf"[{CONTROLS}]")
NO = frozenset({"", "false", "no", "0"})

TAG_DELIMITER = ";"
QUOTED_TAG = re.compile(r'[",;]')


class RefusedError(Exception):
    """The line is rejected; the message gives the reason."""


class RowReader:
    """Converts records of a file to fields of tasks."""

    def __init__(self, plan: Plan) -> None:
        form = FORMATS[plan.format]
        self._width = len(plan.columns)
        self._escaped = form.escaped
        date = date_reader(plan.date_format, ZoneInfo(plan.time_zone))
        status = _status if plan.format == "tasks" else _status_in_words
        readers: dict[str, Callable[[str], object]] = {
            "title": self._title,
            "status": status,
            "due_at": lambda cell: _time(date, cell),
            "remind_at": lambda cell: _time(date, cell),
        }
        self._single = [
            (index, column.name, column.field, readers[column.field])
            for index, column in enumerate(plan.columns)
            if column.field in readers
        ]
        self._tags = _indexes(plan, "tags")
        self._completed = _indexes(plan, "completed")
        self._descriptions = [(index, plan.columns[index].name) for index in _indexes(plan, "description")]
        self._rows: tuple[int, str] | None = None
        if form.rows:
            names = [column.name.casefold() for column in plan.columns]
            self._rows = (names.index(form.rows[0]), form.rows[1]) if form.rows[0] in names else None

    def values(self, record: Record) -> dict[str, Any] | None:
        """Return the fields of a task; None for a row that is no task (see `Format.rows`). Raises RefusedError."""
        cells = record.cells
        if isinstance(cells, str):
            raise RefusedError(cells)
        if len(cells) != self._width and (len(cells) < self._width or any(map(str.strip, cells[self._width :]))):
            raise RefusedError(f"has {len(cells)} cells, the first line names {self._width} columns")
        if self._rows and cells[self._rows[0]].strip().casefold() != self._rows[1]:
            return None
        values: dict[str, Any] = {"description": "", "status": Status.TODO, "due_at": None, "remind_at": None}
        for index, name, field, read in self._single:
            try:
                values[field] = read(cells[index])
            except ValueError as error:
                raise RefusedError(f"{name[:50]}: {error}"[:LONGEST_REASON]) from None
        if self._descriptions:
            values["description"] = self._description(cells)
        if self._tags:
            try:
                values["tags"] = _tags(tuple(self._text(cells[index]) for index in self._tags))
            except (ValueError, csv.Error) as error:
                raise RefusedError(f"tags: {error}"[:LONGEST_REASON]) from None
        if any(cells[index].strip().casefold() not in NO for index in self._completed):
            values["status"] = Status.DONE
        return values

    def _text(self, cell: str) -> str:
        return as_written(cell) if self._escaped else cell

    def _title(self, cell: str) -> str:
        title = nfc(self._text(cell)).strip()
        if len(title) > LONGEST_TITLE:
            raise ValueError(f"has more than {LONGEST_TITLE} characters")
        if not ONE_LINE.fullmatch(title):
            raise ValueError("must be one line of text, and not blank")
        return title

    def _description(self, cells: Sequence[str]) -> str:
        (first, _), *more = self._descriptions
        parts = [self._text(cells[first])]
        parts += [f"{name}: {cells[index].strip()}" for index, name in more if cells[index].strip()]
        description = nfc("\n".join(parts if parts[0] else parts[1:]))
        if len(description) > LONGEST_DESCRIPTION:
            raise RefusedError(f"description: has more than {LONGEST_DESCRIPTION} characters")
        if "\x00" in description:
            raise RefusedError("description: must not contain NUL characters")
        return description


def tags_cell(tags: Sequence[str]) -> str:
    """Return the tags of a task as one cell; a tag with a separator or a quote is quoted."""
    return TAG_DELIMITER.join('"{}"'.format(tag.replace('"', '""')) if QUOTED_TAG.search(tag) else tag for tag in tags)


def split_tags(cell: str) -> list[str]:
    """Return the tags of a cell, separated by semicolons, or by commas if no semicolon is outside of quotes.

    Raises:
        ValueError, csv.Error: the cell can't be parsed.
    """
    if CONTROL.search(cell):
        raise ValueError("must be one line of text")
    for delimiter in (TAG_DELIMITER, ","):
        try:
            found = next(csv.reader([cell], delimiter=delimiter, skipinitialspace=True, strict=True), [])
        except csv.Error:
            if delimiter == ",":
                raise ValueError("has a quote that does not end its tag") from None
            continue
        if len(found) > 1:
            break
    return [tag for tag in found if tag.strip()]


@lru_cache(maxsize=1024)  # tasks of a file share few distinct tags
def _tags(cells: tuple[str, ...]) -> tuple[str, ...]:
    given = [tag for cell in cells if cell.strip() for tag in split_tags(cell.strip())]
    if not all(ONE_LINE.fullmatch(tag) for tag in given):
        raise ValueError("each must be one line of text, and not blank")
    tags = tag_forms(given)
    if len(given) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise ValueError(f"at most {MOST_TAGS}, of {LONGEST_TAG} characters each")
    return tags


def _status(cell: str) -> Status:
    try:
        return Status(cell.strip().lower() or "todo")
    except ValueError:
        raise ValueError("must be todo, in_progress or done") from None


def _status_in_words(cell: str) -> Status:
    word = cell.strip().casefold()
    return _status(STATUS_WORDS.get(word, word))


def _time(read: Callable[[str], datetime], cell: str) -> datetime | None:
    text = cell.strip()
    return read(text) if text else None


def _indexes(plan: Plan, field: str) -> list[int]:
    return [index for index, column in enumerate(plan.columns) if column.field == field]
