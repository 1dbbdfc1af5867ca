"""Buffered access log: lines of many requests in one write."""

import threading
from collections import deque
from typing import BinaryIO

GATHERED = 0.1
"""Seconds that a line is buffered at most: what is lost when the process is killed."""

MOST = 1_000
"""Lines buffered at most. The thread that adds one more writes them itself, and blocks if the reader of stderr does."""


class GatheredLines:
    """A structlog logger that buffers lines, and flushes them from a timer.

    A write releases the GIL, and getting it back costs a request more than its line does.

    Args:
        file: the output.
        name: the logger's name, as in its lines.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self._file = file
        self._lines: deque[bytes] = deque()
        self._due = False
        self._writing = threading.Lock()

    def info(self, line: bytes) -> None:
        """Buffer a line, without its line break."""
        self._lines.append(line)
        if len(self._lines) >= MOST:
            self.flush()
        elif not self._due:
            self._due = True
            # Not a daemon thread: the interpreter waits for it at exit, so no line is lost.
            threading.Timer(GATHERED, self.flush).start()

    def flush(self) -> None:
        """Write the buffered lines."""
        with self._writing:
            # Reset before the lines are taken: one added meanwhile is either taken too, or starts a new timer.
            self._due = False
            taken = [self._lines.popleft() for _ in range(len(self._lines))]
            self._file.write(b"".join(line + b"\n" for line in taken))
            self._file.flush()
