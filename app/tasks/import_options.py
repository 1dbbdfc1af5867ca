"""Query parameters of imports, and the response body of a preview."""

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
    format: Annotated[Format | None, Field(description="Export format; by default detected from the columns")] = None
    encoding: Annotated[
        Encoding | None, Field(description="By default that of the byte order mark, else UTF-8; never guessed")
    ] = None
    delimiter: Annotated[Delimiter | None, Field(description="By default detected from the first line")] = None
    date_format: Annotated[
        DateFormat | None, Field(description="Format of dates besides RFC 3339; others are rejected")
    ] = None
    time_zone: Annotated[
        str, Field(max_length=64, description="IANA time zone of dates without one"), AfterValidator(_known_zone)
    ] = "UTC"
    unknown_columns: Annotated[
        Literal["refuse", "ignore"], Field(description="What to do with columns without a task field")
    ] = "refuse"
    columns: Annotated[
        list[ColumnChoice],
        Field(max_length=500, description=f"Mapping of a column, as NAME:FIELD: {', '.join(FIELDS)} or {IGNORE}"),
    ] = Field(default_factory=list)

    def options(self) -> Options:
        """Return the options of the import plan."""
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
    field: Annotated[str | None, Field(description="Task field; null if the column is ignored")]
    known: Annotated[bool, Field(description="Whether the format has this column, or it was mapped explicitly")]
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
    text: Annotated[str, Field(description="Beginning of the line")]


class PreviewProblem(ResponseModel):
    field: Annotated[str, Field(description="The parameter that fixes it")]
    message: str


class ImportPreview(ResponseModel):
    format: Format
    encoding: Encoding
    delimiter: Delimiter
    date_format: DateFormat | None
    time_zone: str
    columns: list[PreviewColumn]
    rows: Annotated[int, Field(description="Number of rows read")]
    whole: Annotated[bool, Field(description="Whether these are all rows of the file")]
    tasks: Annotated[list[PreviewTask], Field(description="Tasks of the first rows")]
    refused: Annotated[list[PreviewRefused], Field(description="The first lines that would be rejected")]
    problem: Annotated[PreviewProblem | None, Field(description="Why the import would be rejected as a whole")]


def preview_body(found: Preview) -> ImportPreview:
    """Return the response body of a preview."""
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
