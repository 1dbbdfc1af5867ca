"""CSV reader: an invalid line does not affect others."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import InvalidError
from app.tasks import csv_reader
from app.tasks.csv_dialect import Dialect, start_of
from app.tasks.csv_reader import RECORD_LIMIT, Lines, Record, records

CHUNK = 64
SHORT_LIMIT = 1000

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
GOOD = st.lists(TEXT, min_size=3, max_size=3).filter(lambda cells: "".join(cells).strip() != "")
PLAIN = st.text(st.sampled_from("ab ;=\x00é"), max_size=10)
BAD = st.one_of(
    st.tuples(PLAIN, PLAIN).map(lambda parts: f'{parts[0]},"x{parts[1]}'),  # an unclosed quote
    st.tuples(PLAIN, PLAIN).map(lambda parts: f'"{parts[0]}"x{parts[1]}'),  # an inner quote that is not doubled
    PLAIN.map(lambda text: f"a{text}\rb"),  # a line end outside of quotes
    st.just("y" * (SHORT_LIMIT + 1)),
)


def found(content: bytes, dialect: Dialect | None = None, chunk: int = CHUNK) -> list[Record]:
    lines = Lines(lambda index: content[index * chunk : (index + 1) * chunk], chunk, dialect or Dialect())
    return list(records(lines))


def row(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


@settings(deadline=None)
@given(st.lists(st.one_of(GOOD, BAD), max_size=8), st.sampled_from([2, 62, 1 << 19]))
def test_valid_lines_are_read_and_invalid_ones_reported_by_number(parts: list[list[str] | str], chunk: int) -> None:
    content, good, bad, line = "", [], [], 1
    for part in parts:
        text = row(part) if isinstance(part, list) else f"{part}\n"
        if isinstance(part, list):
            good.append((line, part))
        else:
            bad.append(line)
        content += text
        line += text.count("\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reader, "RECORD_LIMIT", SHORT_LIMIT)
        read = found(content.encode(), chunk=chunk)
    assert [(record.line, record.cells) for record in read if isinstance(record.cells, list)] == good
    assert [record.line for record in read if isinstance(record.cells, str)] == bad


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'a,"open\n', "opens a quote that nothing closes"),
        (b'a,"open\nb,c\n', "opens a quote that nothing closes"),
        (b'a,"open' + b"x" * RECORD_LIMIT + b"\n", f"is longer than {RECORD_LIMIT} bytes"),
        (b'a,"open\n' + b"x\n" * RECORD_LIMIT, "opens a quote that nothing closes"),
        (b'a,"open\n' + b"x" * RECORD_LIMIT + b"\n", "opens a quote that nothing closes"),
        (b'a,"open\nb,", c"\n', "opens a quote that nothing closes"),
        (
            b'"a"b\n',
            "has a quote that does not end its cell: one that nothing closes, or one within that is not doubled",
        ),
        (b"a\rb,c\n", "has a line end (CR) outside of quotes"),
        (b"a,\xff\n", "is not UTF-8; if an older program wrote it, say encoding=windows-1252"),
    ],
)
def test_the_reason_says_what_is_wrong(content: bytes, reason: str) -> None:
    first, *others = found(content, chunk=1 << 19)
    assert (first.line, first.cells) == (1, reason)
    assert [other.line for other in others] == list(range(2, 2 + len(others)))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_every_encoding_and_line_end_is_read_alike(encoding: str, mark: str, end: str) -> None:
    text = mark + end.join(["title;tags", '"Ä""pfel";"two', 'lines"', "ਊ Milk;", ""])
    content = text.encode(encoding)
    if encoding != "utf-8" and not mark:
        with pytest.raises(InvalidError, match=f"looks like {encoding}"):
            start_of(content, None)
    start = start_of(content, None if mark else encoding)
    assert start.encoding == encoding
    read = found(content, Dialect(start.encoding, ";", start.newline), chunk=10)
    inner = "\r" if end == "\r" else end
    assert [(record.line, record.cells) for record in read] == [
        (1, ["title", "tags"]),
        (2, ['Ä"pfel', f"two{inner}lines"]),
        (4, ["ਊ Milk", ""]),
    ]


def test_blank_rows_are_skipped_and_counted_as_lines() -> None:
    read = found(b"a,b\r\n,\r\n\r\n , \r\nc,d\r\n")
    assert [(record.line, record.cells) for record in read] == [(1, ["a", "b"]), (5, ["c", "d"])]


def test_repeated_unclosed_quotes_are_read_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line opens a quote that the next one closes and opens again."""
    monkeypatch.setattr(csv_reader, "RECORD_LIMIT", 1 << 10)
    monkeypatch.setattr(csv_reader, "MOST_RESCANS", 10)
    content = b'x,",y","\n' * 5000
    reads = 0

    def chunk(index: int) -> bytes:
        nonlocal reads
        reads += 1
        return content[index * CHUNK : (index + 1) * CHUNK]

    assert all(isinstance(record.cells, str) for record in records(Lines(chunk, CHUNK, Dialect())))
    assert reads < 3 * len(content) / CHUNK
