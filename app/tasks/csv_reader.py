"""Streaming CSV reader with bounded memory."""

import csv
from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.tasks.csv_dialect import Dialect

RECORD_LIMIT = 1 << 17
"""Bytes of a record, and the csv module's limit of a cell: a task's largest description fits, whatever its alphabet."""

MOST_RESCANS = 100
"""Quotes left open across so much text whose following lines are read again, in a step: a bound for its time."""


UNCLOSED = "opens a quote that nothing closes"


class RecordTooLongError(Exception):
    """A record is longer than any task could be."""


class Record(NamedTuple):
    """A record, or a line that is none.

    Args:
        line: number of its first line, from 1.
        cells: its cells, or the reason why it has none.
        text: how it begins.
    """

    line: int
    cells: list[str] | str
    text: str


class Lines:
    """Physical lines from a byte on; counts what has been read.

    Args:
        chunk: returns the chunk with a number, of `chunk_size` bytes but for the last; nothing past that.
        offset, lines: bytes and lines of the file that have been read before.

    Attributes:
        first: how the record under way begins.
        quotes: how many quotes it has so far.
        undecodable: whether bytes of it are no text in the file's encoding.
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
        """Say that the next line begins a record."""
        self.first = ""
        self.quotes = 0
        self.undecodable = False
        self._begun = self._second = self.offset, self.lines

    def rewind(self) -> None:
        """Go back to the second line of the record under way."""
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
        """Return the next line, with its end. Raises RecordTooLongError behind a line that is too long by itself."""
        end = self._end_of_line()
        if end:
            line = self._buffer[self._position : end]
            self._position = end
            return line
        rest, skipped, begins = self._buffer[self._position :], 0, b""
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
                begins = begins or rest[:400]
                skipped, rest = skipped + len(rest), b""
        if skipped:
            self._count(skipped + len(rest), begins.decode(self.dialect.encoding, errors="replace"))
        return rest

    def _end_of_line(self) -> int:
        """Return where the line at the position ends in the buffer; 0 if it doesn't."""
        width, found = len(self._newline), self._position
        while (found := self._buffer.find(self._newline, found)) >= 0:
            if found % width == 0:  # a chunk has whole characters
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
    """Yield the records of a file, without those whose cells are all blank.

    A line that opens a quote which nothing closes, or breaks another rule of CSV, is told as such; the next line
    begins a record again.
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
            # An odd number of quotes: one of them stands alone, and the record is lines of several.
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
