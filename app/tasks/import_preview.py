"""Preview of an import from the first bytes of a file."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from app.core.errors import InvalidError
from app.tasks.import_job import shown
from app.tasks.import_plan import HEAD, Options, Plan, check, plan_of, sample
from app.tasks.import_rows import RefusedError, RowReader

MOST_TASKS = 5
MOST_REFUSED_LINES = 20
LONGEST_EXAMPLE = 100


@dataclass(frozen=True)
class Preview:
    """Result of a preview.

    Args:
        examples: first non-blank cell of each column.
        tasks: tasks of the first rows: line number and fields.
        refused: first lines that would be rejected: number, reason, and beginning.
        rows: number of rows read.
        whole: whether these are all rows of the file.
        problem: why the import would be rejected as a whole.
    """

    plan: Plan
    examples: list[str]
    tasks: list[tuple[int, dict[str, Any]]]
    refused: list[tuple[int, str, str]]
    rows: int
    whole: bool
    problem: InvalidError | None


def preview(head: bytes, options: Options) -> Preview:
    """Parse the first bytes of a file as an import with these options would.

    Args:
        head: the file, or its first HEAD bytes.

    Raises:
        InvalidError: the header can't be read, or contradicts an option.
    """
    plan, whole = plan_of(head, options), len(head) < HEAD
    examples = [""] * len(plan.columns)
    tasks: list[tuple[int, dict[str, Any]]] = []
    refused: list[tuple[int, str, str]] = []
    rows = 0
    try:
        check(plan, options)
        problem, reader = None, RowReader(plan)
    except InvalidError as error:
        problem, reader = error, None
    for record in sample(head, plan, whole):
        rows += 1
        if isinstance(record.cells, list):
            pairs = list(zip_longest(examples, record.cells[: len(examples)], fillvalue=""))
            examples = [example or cell.strip()[:LONGEST_EXAMPLE] for example, cell in pairs]
        if reader is None:
            continue
        try:
            values = reader.values(record)
        except RefusedError as error:
            if len(refused) < MOST_REFUSED_LINES:
                refused.append((record.line, str(error), shown(record.text)))
        else:
            if values is not None and len(tasks) < MOST_TASKS:
                tasks.append((record.line, values))
    return Preview(plan, examples, tasks, refused, rows, whole, problem)
