"""Import plan: dialect and column mapping, from the first bytes of a file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from app.core.errors import InvalidError
from app.core.jobs.model import Job
from app.tasks.csv_dialect import DELIMITERS, Dialect, start_of
from app.tasks.csv_reader import Lines, Record, records
from app.tasks.import_formats import FORMATS, Format

HEAD = 1 << 18
"""Bytes of a file from which it is planned: twice the longest record."""

IGNORE = "ignore"
SEVERAL = frozenset({"tags", "description", "completed"})
"""Fields that several columns may map to."""

MOST_NAMES = 10
MOST_IGNORED = 100
"""Most columns named in a response: a file may have thousands."""
LONGEST_NAME = 50


@dataclass(frozen=True)
class Options:
    """Options of an import, as given by the client; None: detected from the file.

    Args:
        format: a key of FORMATS.
        delimiter: a key of DELIMITERS.
        date_format: a DateFormat.
        time_zone: IANA time zone of dates without one.
        ignore_unknown: whether unknown columns are ignored; else a file with any is rejected.
        columns: field by name of column, or `ignore`.
    """

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    date_format: str | None = None
    time_zone: str = "UTC"
    ignore_unknown: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """A column of a file and the task field that it maps to.

    Args:
        field: the task field; None if the column is ignored.
        known: whether the format has this column, or the client has mapped it.
    """

    name: str
    field: str | None
    known: bool


@dataclass(frozen=True)
class Plan:
    """Dialect and column mapping of a file.

    Args:
        offset, lines: bytes and lines up to the end of the header.
    """

    format: str
    dialect: Dialect
    columns: tuple[Column, ...]
    date_format: str | None
    time_zone: str
    offset: int
    lines: int

    @property
    def ignored(self) -> list[str]:
        """Names of the ignored columns."""
        return [column.name for column in self.columns if column.field is None]

    def parameters(self) -> dict[str, Any]:
        """Return the plan as JSON, for the parameters of the job."""
        return asdict(self)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        """Inverse of `parameters`."""
        columns = tuple(Column(**column) for column in parameters["columns"])
        return cls(**{**parameters, "dialect": Dialect(**parameters["dialect"]), "columns": columns})


def ignored_columns(job: Job) -> dict[str, object]:
    """Return the ignored columns, for the response body of an import."""
    plan = job.parameters.get("plan")
    return {"ignored_columns": Plan.from_parameters(plan).ignored[:MOST_IGNORED]} if isinstance(plan, dict) else {}


def plan_of(head: bytes, options: Options) -> Plan:
    """Plan the import of a file.

    Args:
        head: the file, or its first HEAD bytes.

    Raises:
        InvalidError: the header can't be read, or contradicts an option.
    """
    start = start_of(head, options.encoding)
    said = DELIMITERS[options.delimiter] if options.delimiter else start.delimiter
    headers: list[tuple[int, int, Dialect, list[str], Lines]] = []
    for delimiter in [said] if said else DELIMITERS.values():
        dialect = Dialect(start.encoding, delimiter, start.newline)
        lines = lines_of(head, dialect, start.offset, start.lines)
        names = _names(next(records(lines), None))
        headers.append((_known(names, options), len(names), dialect, names, lines))
    # The delimiter with the most known columns; then the most columns; then the first.
    _, _, dialect, names, lines = max(headers, key=lambda header: header[:2])
    format_name = options.format or _format(names)
    form = FORMATS[format_name]
    wanted = {_key(name): field for name, field in options.columns.items()}
    if missing := [name for name in options.columns if _key(name) not in set(map(_key, names))]:
        raise InvalidError("columns", f"the file has no column {_list(missing)}; it has {_list(names)}")
    return Plan(
        format_name,
        dialect,
        tuple(_column(name, form, wanted) for name in names),
        options.date_format or form.date_format,
        options.time_zone,
        lines.offset,
        lines.lines,
    )


def check(plan: Plan, options: Options) -> None:
    """Reject a plan without a title, with two columns for one field, or with unknown columns that are not ignored.

    Raises:
        InvalidError: names the columns, and the option that helps.
    """
    fields = [column.field for column in plan.columns if column.field]
    if "title" not in fields:
        names = _list([column.name for column in plan.columns])
        raise InvalidError("columns", f"no column is the title; say which by columns=NAME:title, of {names}")
    for name in fields:
        if name not in SEVERAL and fields.count(name) > 1:
            same = _list([column.name for column in plan.columns if column.field == name])
            raise InvalidError(
                "columns", f"several are the {name}: {same}; leave all but one out by columns=NAME:ignore"
            )
    unknown = [column.name for column in plan.columns if not column.known]
    if unknown and not options.ignore_unknown:
        raise InvalidError(
            "unknown_columns",
            f"no task has a place for {_list(unknown)}; say columns=NAME:FIELD for what becomes of a column, or"
            " unknown_columns=ignore to leave them out",
        )


def lines_of(head: bytes, dialect: Dialect, offset: int, lines: int) -> Lines:
    """Return the lines of the first bytes of a file."""
    return Lines(lambda index: b"" if index else head, 1 << 62, dialect, offset, lines)


def _names(header: Record | None) -> list[str]:
    if header is None:
        raise InvalidError("file", "is empty: its first line must name the columns")
    if isinstance(header.cells, str):
        raise InvalidError("file", f"line {header.line} must name the columns, but it {header.cells}")
    names = [_clean(cell) for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    return [name or f"column {number}" for number, name in enumerate(names, start=1)]


def _clean(name: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(printable.split())


def _key(name: str) -> str:
    return _clean(name).casefold()


def _known(names: Sequence[str], options: Options) -> int:
    keys = set(map(_key, names))
    said = {_key(name) for name in options.columns}
    return max(len(keys & {*form.fields, *form.without, *said}) for form in FORMATS.values())


def _format(names: Collection[str]) -> str:
    keys = set(map(_key, names))
    fitting = [name for name, form in FORMATS.items() if set(form.signs) <= keys]
    return max(fitting, key=lambda name: len(keys & set(FORMATS[name].fields)), default="tasks")


def _column(name: str, form: Format, wanted: Mapping[str, str]) -> Column:
    key = _key(name)
    if key in wanted:
        return Column(name, None if wanted[key] == IGNORE else wanted[key], known=True)
    if key in form.fields:
        return Column(name, form.fields[key], known=True)
    return Column(name, None, known=key in form.without or (form.custom is not None and bool(form.custom.match(key))))


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name[:LONGEST_NAME]}”" for name in names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown} and {len(names) - MOST_NAMES} more"


def sample(head: bytes, plan: Plan, whole: bool) -> Iterator[Record]:
    """Yield the first records of a file.

    Args:
        whole: whether `head` is the whole file; else only its first half is used, so that no record is cut off.
    """
    lines = lines_of(head, plan.dialect, plan.offset, plan.lines)
    until = len(head) if whole else len(head) // 2
    for record in records(lines):
        yield record
        if lines.offset >= until:
            return
