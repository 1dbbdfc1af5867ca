"""Query parameters of imports, and the body of a preview."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from app.core.http.schemas import RequestModel, ResponseModel
from app.tasks.csv_dialect import DELIMITERS
from app.tasks.import_dates import DateFormat
from app.tasks.import_formats import FIELDS
from app.tasks.import_plan import IGNORE, Options
from app.tasks.import_preview import Preview
from app.tasks.model import Status

Format = Literal["tasks", "todoist", "trello", "asana", "jira"]
Encoding = Literal["utf-8", "utf-16-le", "utf-16-be", "windows-1252"]
Delimiter = Literal["comma", "semicolon", "tab", "pipe"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the IANA name of a time zone, like Europe/Berlin") from None
    return name


def _readable_column(text: str) -> str:
    name, _, field = text.rpartition(":")
    if not name or field not in {*FIELDS, IGNORE}:
        raise ValueError(f"must be NAME:FIELD, with a field of {', '.join(FIELDS)} or {IGNORE}")
    return text


ColumnChoice = Annotated[str, Field(max_length=300), AfterValidator(_readable_column)]


class ImportParameters(RequestModel):
    format: Annotated[Format | None, Field(description="Whose export it is; by default as its columns say")] = None
    encoding: Annotated[
        Encoding | None, Field(description="By default as its byte order mark says, else UTF-8; never guessed")
    ] = None
    delimiter: Annotated[Delimiter | None, Field(description="By default as its first line says")] = None
    date_format: Annotated[
        DateFormat | None, Field(description="How it writes dates, beside RFC 3339; else such dates are refused")
    ] = None
    time_zone: Annotated[
        str, Field(max_length=64, description="Of dates that name none: an IANA name"), AfterValidator(_known_zone)
    ] = "UTC"
    unknown_columns: Annotated[
        Literal["refuse", "ignore"], Field(description="What to do with columns that no task has a place for")
    ] = "refuse"
    columns: Annotated[
        list[ColumnChoice],
        Field(max_length=500, description=f"What a column becomes, as NAME:FIELD: {', '.join(FIELDS)} or {IGNORE}"),
    ] = Field(default_factory=list)

    def options(self) -> Options:
        """Return them as the import takes them."""
        choices = dict(choice.rpartition(":")[::2] for choice in self.columns)
        return Options(
            self.format,
            self.encoding,
            self.delimiter,
            self.date_format,
            self.time_zone,
            self.unknown_columns == "ignore",
            choices,
        )


class PreviewColumn(ResponseModel):
    name: str
    field: Annotated[str | None, Field(description="What it becomes; null if it is left out")]
    known: Annotated[bool, Field(description="Whether this export is known to have it, or it was said what it becomes")]
    example: str


class PreviewTask(ResponseModel):
    line: int
    title: str
    description: str
    status: Status
    due_at: datetime | None
    remind_at: datetime | None
    tags: list[str]


class PreviewRefused(ResponseModel):
    line: int
    reason: str
    text: Annotated[str, Field(description="How it begins")]


class PreviewProblem(ResponseModel):
    field: Annotated[str, Field(description="The parameter that mends it")]
    message: str


class ImportPreview(ResponseModel):
    format: Format
    encoding: Encoding
    delimiter: Delimiter
    date_format: DateFormat | None
    time_zone: str
    columns: list[PreviewColumn]
    rows: Annotated[int, Field(description="How many were read")]
    whole: Annotated[bool, Field(description="Whether the file has no more than these")]
    tasks: Annotated[list[PreviewTask], Field(description="What the first rows become")]
    refused: Annotated[list[PreviewRefused], Field(description="The first lines that would be refused")]
    problem: Annotated[PreviewProblem | None, Field(description="Why the import would be refused as a whole")]


def preview_body(found: Preview) -> ImportPreview:
    """Return a preview as the API shows it."""
    plan = found.plan
    delimiter = next((name for name, sign in DELIMITERS.items() if sign == plan.dialect.delimiter), "comma")
    columns = zip(plan.columns, found.examples, strict=True)
    return ImportPreview.model_validate(
        {
            "format": plan.format,
            "encoding": plan.dialect.encoding,
            "delimiter": delimiter,
            "date_format": plan.date_format,
            "time_zone": plan.time_zone,
            "columns": [{**vars(column), "example": example} for column, example in columns],
            "rows": found.rows,
            "whole": found.whole,
            "tasks": [{"line": line, "tags": (), **values} for line, values in found.tasks],
            "refused": [{"line": line, "reason": reason, "text": text} for line, reason, text in found.refused],
            "problem": found.problem and {"field": found.problem.field, "message": str(found.problem)},
        }
    )
