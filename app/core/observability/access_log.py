"""Buffered access log."""

import threading
from collections import deque
from typing import BinaryIO

GATHERED = 0.1
"""Seconds that a line waits at most: also what is lost of them when the process is killed."""

MOST = 1_000
"""Lines that wait at most. Then whoever has one more writes, and waits itself if nobody reads."""


class GatheredLines:
    """What structlog writes lines to.

    A write hands the interpreter to another thread, and waiting to get it back costs a request more than its line does.

    Args:
        file: where they go.
        name: of the logger, as its lines tell it.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self._file = file
        self._lines: deque[bytes] = deque()
        self._due = False
        self._writing = threading.Lock()

    def info(self, line: bytes) -> None:
        """Take a line, without its end."""
        self._lines.append(line)
        if len(self._lines) >= MOST:
            self.flush()
        elif not self._due:
            self._due = True
            # Not a daemon: an interpreter that ends waits for it, and so loses no line.
            threading.Timer(GATHERED, self.flush).start()

    def flush(self) -> None:
        """Write what there is."""
        with self._writing:
            # Before the lines are taken: one that comes meanwhile is taken too, or gets a moment of its own.
            self._due = False
            taken = [self._lines.popleft() for _ in range(len(self._lines))]
            self._file.write(b"".join(line + b"\n" for line in taken))
            self._file.flush()
