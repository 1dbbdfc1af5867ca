"""Streaming CSV reader with bounded memory."""

import csv
from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.tasks.csv_dialect import Dialect

RECORD_LIMIT = 1 << 17
"""Most bytes per record, equal to the csv module's limit per cell: the longest description fits in any alphabet."""

MOST_RESCANS = 100
"""Most rescans after over-long unclosed quotes per step: bounds its time."""


UNCLOSED = "opens a quote that nothing closes"


class RecordTooLongError(Exception):
    """A record is longer than RECORD_LIMIT."""


class Record(NamedTuple):
    """A record, or an invalid line.

    Args:
        line: number of its first line, from 1.
        cells: its cells, or the error if it is invalid.
        text: its beginning, for messages.
    """

    line: int
    cells: list[str] | str
    text: str


class Lines:
    """Iterator of physical lines from an offset; tracks the offset and the current record.

    Args:
        chunk: returns the chunk of an index, of `chunk_size` bytes but for the last; empty past the end.
        offset, lines: bytes and lines of the file already read.

    Attributes:
        first: beginning of the current record.
        quotes: number of quotes in it so far.
        undecodable: whether bytes of it are invalid in the file's encoding.
    """

    def __init__(
        self, chunk: Callable[[int], bytes], chunk_size: int, dialect: Dialect, offset: int = 0, lines: int = 0
    ) -> None:
        self.dialect = dialect
        self._chunk = chunk
        self._chunk_size = chunk_size
        self._newline = dialect.newline.encode(dialect.encoding)
        self._loaded = -1
        self._buffer = b""
        self._position = self.offset = self.lines = 0
        self._seek(offset, lines)
        self.begin_record()

    def begin_record(self) -> None:
        """Start a record at the next line."""
        self.first = ""
        self.quotes = 0
        self.undecodable = False
        self._begun = self._second = self.offset, self.lines

    def rewind(self) -> None:
        """Seek to the second line of the current record."""
        self._seek(*self._second)

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._physical()
        if not line:
            raise StopIteration
        try:
            text = line.decode(self.dialect.encoding)
        except UnicodeDecodeError:
            text, self.undecodable = line.decode(self.dialect.encoding, errors="replace"), True
        if not self.offset:
            text = text.removeprefix("\ufeff")
        self._count(len(line), text)
        self.quotes += text.count('"')
        return text

    def _physical(self) -> bytes:
        """Return the next line, with its end. Raises RecordTooLongError, past the line, if it alone is too long."""
        end = self._end_of_line()
        if end:
            line = self._buffer[self._position : end]
            self._position = end
            return line
        rest, skipped, beginning = self._buffer[self._position :], 0, b""
        while True:
            self._load(self._loaded + 1)
            end = self._end_of_line()
            rest += self._buffer[: end or len(self._buffer)]
            self._position = end or len(self._buffer)
            if end or not self._buffer:
                break
            if len(rest) > RECORD_LIMIT:
                if self._second != self._begun:
                    raise RecordTooLongError(UNCLOSED)
                beginning = beginning or rest[:400]
                skipped, rest = skipped + len(rest), b""
        if skipped:
            self._count(skipped + len(rest), beginning.decode(self.dialect.encoding, errors="replace"))
        return rest

    def _end_of_line(self) -> int:
        """Return the end of the current line in the buffer; 0 if the buffer does not contain it."""
        width, found = len(self._newline), self._position
        while (found := self._buffer.find(self._newline, found)) >= 0:
            if found % width == 0:  # a chunk holds whole code units: only aligned matches count
                return found + width
            found += 1
        return 0

    def _count(self, size: int, text: str) -> None:
        self.lines += 1
        self.offset += size
        alone = self._second == self._begun
        if alone:
            self.first, self._second = text[:200], (self.offset, self.lines)
        if self.offset - self._begun[0] > RECORD_LIMIT:
            raise RecordTooLongError(f"is longer than {RECORD_LIMIT} bytes" if alone else UNCLOSED)

    def _seek(self, offset: int, lines: int) -> None:
        index, position = divmod(offset, self._chunk_size)
        self._load(index)
        self._position = position
        self.offset, self.lines = offset, lines

    def _load(self, index: int) -> None:
        if index != self._loaded:
            self._buffer, self._loaded = self._chunk(index), index
        self._position = 0


def records(lines: Lines) -> Iterator[Record]:
    """Yield the records of a file, without blank ones.

    A line with an unclosed quote or another CSV error is yielded as an invalid record; parsing resumes at the line
    after it.
    """
    rescans = 0
    reader = _reader(lines)
    while True:
        lines.begin_record()
        line = lines.lines + 1
        try:
            cells: list[str] | str = next(reader)
        except StopIteration:
            return
        except RecordTooLongError as error:
            cells = str(error)
            rescans += 1
        except csv.Error as error:
            cells = UNCLOSED if lines.lines > line else _reason(error)
        else:
            # An odd number of quotes: one is unclosed, and the parser has merged several records.
            if not (lines.lines > line and lines.quotes % 2):
                if lines.undecodable:
                    yield Record(line, _undecodable(lines.dialect.encoding), lines.first)
                elif "".join(cells).strip():
                    yield Record(line, cells, lines.first)
                continue
            cells = UNCLOSED
        if rescans <= MOST_RESCANS:
            lines.rewind()
        reader = _reader(lines)
        yield Record(line, cells, lines.first)


def _reader(lines: Lines) -> "Iterator[list[str]]":
    return csv.reader(lines, delimiter=lines.dialect.delimiter, strict=True)


def _undecodable(encoding: str) -> str:
    hint = "; if an older program wrote it, say encoding=windows-1252" if encoding == "utf-8" else ""
    return f"is not {encoding.upper()}{hint}"


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return UNCLOSED
    if "new-line" in text:
        return "has a line end (CR) outside of quotes"
    if "expected after" in text:
        return "has a quote that does not end its cell: one that nothing closes, or one within that is not doubled"
    return f"is not CSV: {text}"[:200]
