"""Records of a CSV file that comes in pieces: memory stays the same whatever the file holds."""

import csv
from collections.abc import Callable, Iterator
from typing import NamedTuple

RECORD_LIMIT = 1 << 16
"""Bytes of a record: a task's largest description fits, whatever its alphabet; a file without line ends does not, nor
one whose every line stands in quotes."""


class RecordTooLongError(Exception):
    """A record is longer than any task could be."""


class Record(NamedTuple):
    """A record and where it ends.

    Args:
        line: number of its first line, from 1.
        cells: its cells, or the reason why it has none.
        text: how it begins.
        offset, lines: bytes and lines of the file up to its end.
    """

    line: int
    cells: list[str] | str
    text: str
    offset: int
    lines: int


class Lines:
    """Physical lines from a byte on; counts what has been read. A record that gets too long is told by an exception."""

    def __init__(self, piece: Callable[[int], bytes | None], piece_size: int, offset: int, lines: int) -> None:
        self._piece = piece
        self._index, skip = divmod(offset, piece_size)
        self._buffer = self._next_piece()[skip:]
        self._position = 0
        self.offset = offset
        self.lines = lines
        self.first = ""
        self._begun = offset

    def begin_record(self) -> None:
        """Say that the next line begins a record."""
        self.first = ""
        self._begun = self.offset

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._physical()
        if not line:
            raise StopIteration
        self._count(len(line))
        text = line.decode("utf-8-sig" if self.offset == len(line) else "utf-8", errors="surrogateescape")
        self.first = self.first or text[:200]
        return text

    def _physical(self) -> bytes:
        end = self._buffer.find(b"\n", self._position)
        if end >= 0:
            line = self._buffer[self._position : end + 1]
            self._position = end + 1
            return line
        rest, skipped = self._buffer[self._position :], 0
        while True:
            self._buffer, self._position = self._next_piece(), 0
            if not self._buffer:
                break
            end = self._buffer.find(b"\n")
            if end >= 0:
                rest += self._buffer[: end + 1]
                self._position = end + 1
                break
            rest += self._buffer
            if len(rest) > RECORD_LIMIT:
                skipped, rest = skipped + len(rest), b""
        if skipped:
            self._count(skipped + len(rest))
        return rest

    def _count(self, size: int) -> None:
        self.lines += 1
        self.offset += size
        if self.offset - self._begun > RECORD_LIMIT:
            raise RecordTooLongError

    def _next_piece(self) -> bytes:
        data = self._piece(self._index) or b""
        self._index += 1
        return data


def records(lines: Lines) -> Iterator[Record]:
    """Yield the records of a file; what can't be one is told as such, and the next line goes on."""
    while True:
        reader = csv.reader(lines)
        begun = lines.lines + 1
        try:
            for cells in _each(reader, lines):
                if cells:
                    yield Record(begun, cells, lines.first, lines.offset, lines.lines)
                begun = lines.lines + 1
        except RecordTooLongError:
            yield Record(begun, f"is longer than {RECORD_LIMIT} bytes", lines.first, lines.offset, lines.lines)
        except csv.Error as error:
            yield Record(begun, f"is not CSV: {error}"[:200], lines.first, lines.offset, lines.lines)
        else:
            return


def _each(reader: "Iterator[list[str]]", lines: Lines) -> Iterator[list[str]]:
    while True:
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        yield cells
