"""Import preview: valid for any bytes, and equal to the import's result."""

from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import InvalidError
from app.tasks.csv_dialect import DELIMITERS, ENCODINGS
from app.tasks.import_dates import DateFormat
from app.tasks.import_plan import Options, Plan, plan_of
from app.tasks.import_preview import preview

LINES = st.lists(st.text(st.sampled_from("title,;\t|\"'\r\n\x00aÄ=sep\ufeff🙂"), max_size=30), max_size=5).map(
    "\n".join
)
OPTIONS = st.builds(
    Options,
    format=st.sampled_from([None, "tasks", "todoist", "trello", "asana", "jira"]),
    encoding=st.sampled_from([None, *ENCODINGS]),
    delimiter=st.sampled_from([None, *DELIMITERS]),
    date_format=st.sampled_from([None, *get_args(DateFormat)]),
    ignore_unknown=st.just(True),
)


@given(
    st.one_of(
        st.binary(max_size=200),
        LINES.map(str.encode),
        LINES.map(lambda text: f"title,due_at,tags\n{text}".encode()),
        LINES.map(lambda text: f"\ufeffsep=;\ntitle;status\n{text}".encode("utf-16-le")),
    ),
    OPTIONS,
)
@example(b"sep=\x81\ntitle\nx\n", Options(encoding="windows-1252"))
@example(b"sep=\xff\ntitle\nx\n", Options())
@settings(deadline=None)
def test_any_file_is_previewed_or_rejected_with_a_reason(content: bytes, options: Options) -> None:
    with suppress(InvalidError):
        shown = preview(content, options)
        assert Plan.from_parameters(shown.plan.parameters()) == shown.plan
        assert len(shown.examples) == len(shown.plan.columns)


@pytest.mark.parametrize(
    ("content", "delimiter", "columns"),
    [
        (b"title,description\na;b;c;d,e\n", ",", ["title", "description"]),
        (b"title;tags\na,b,c,d;e\n", ";", ["title", "tags"]),
        (b"title\nMilk; honey, bread\n", ",", ["title"]),
        (b"title;a, b\n", ";", ["title", "a, b"]),
        (b'"sep=;"\r\ntitle;tags\r\n', ";", ["title", "tags"]),
        (b"sep=\t\ntitle\ttags\n", "\t", ["title", "tags"]),
        (b"\n,,\nTitle , DESCRIPTION,,\n", ",", ["Title", "DESCRIPTION"]),
        (b"title,,tags\n", ",", ["title", "column 2", "tags"]),
        (b"What;When|or\n", ";", ["What", "When|or"]),
    ],
)
def test_the_separator_is_that_of_the_header(content: bytes, delimiter: str, columns: list[str]) -> None:
    plan = plan_of(content, Options())
    assert (plan.dialect.delimiter, [column.name for column in plan.columns]) == (delimiter, columns)


@pytest.mark.parametrize(
    ("name", "text", "utc"),
    [
        ("DD/MM/YYYY", "1/2/2031", "2031-02-01T22:59:00+00:00"),
        ("MM/DD/YYYY", "1/2/2031", "2031-01-02T22:59:00+00:00"),
        ("DD.MM.YYYY", "01.07.2031 12:30", "2031-07-01T10:30:00+00:00"),
        ("DD/MMM/YY", "31/Jan/31 12:00 AM", "2031-01-30T23:00:00+00:00"),
        ("MMM DD, YYYY", "Jan 31, 2031, 12:05 pm", "2031-01-31T11:05:00+00:00"),
        ("YYYY-MM-DD", "2031-01-31T08:00:09.123", "2031-01-31T07:00:09+00:00"),
    ],
)
def test_a_date_is_read_in_its_format(name: str, text: str, utc: str) -> None:
    content = f'title,due_at\nx,"{text}"\n'.encode()
    shown = preview(content, Options(date_format=name, time_zone="Europe/Berlin"))
    ((_, task),) = shown.tasks
    assert task["due_at"].isoformat() == utc


@pytest.mark.parametrize("text", ["31/31/2031", "0/1/2031", "1/2/31", "1/2/2031 25:00", "1/2/2031 13:00 PM", "soon"])
def test_a_date_of_another_format_is_rejected(text: str) -> None:
    shown = preview(f"title,due_at\nx,{text}\n".encode(), Options(date_format="DD/MM/YYYY"))
    assert (shown.tasks, len(shown.refused)) == ([], 1)
    assert shown.refused[0][1].startswith("due_at: ")
