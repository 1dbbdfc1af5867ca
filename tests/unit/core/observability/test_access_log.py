"""The buffered access log."""

import io
import subprocess
import sys
import threading

from app.core.observability import access_log
from app.core.observability.access_log import GatheredLines
from tests.support.ports import wait_for


class Counted(io.BytesIO):
    """A file that counts how often it is written to."""

    writes = 0

    def write(self, data: object) -> int:
        self.writes += 1
        return super().write(data)  # type: ignore[arg-type]


def until_written(file: io.BytesIO, lines: int) -> list[bytes]:
    """Wait for a number of lines, and return them."""
    wait_for(lambda: len(file.getvalue().splitlines()) >= lines, "the lines are written", 10)
    return file.getvalue().splitlines()


def test_lines_are_buffered_and_written_together_in_order() -> None:
    file = Counted()
    log = GatheredLines(file, "requests")
    lines = [b"line %d" % number for number in range(50)]
    for line in lines:
        log.info(line)
    assert until_written(file, 50) == lines
    assert file.writes < 5
    log.info(b"one more")
    assert until_written(file, 51)[-1] == b"one more"


def test_no_line_is_lost_or_written_twice_among_many_threads() -> None:
    file = Counted()
    log = GatheredLines(file, "requests")

    def write(thread: int) -> None:
        for number in range(2_000):
            log.info(b"%d %d" % (thread, number))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = until_written(file, 16_000)
    assert sorted(found) == sorted(b"%d %d" % (thread, number) for thread in range(8) for number in range(2_000))


def test_a_full_buffer_is_written_immediately() -> None:
    file = Counted()
    log = GatheredLines(file, "requests")
    for number in range(access_log.MOST):
        log.info(b"%d" % number)
    assert len(file.getvalue().splitlines()) == access_log.MOST, "written without waiting for the timer"


def test_the_last_lines_are_written_when_the_interpreter_ends() -> None:
    script = """
import sys
from app.core.observability.access_log import GatheredLines
GatheredLines(sys.stderr.buffer, "requests").info(b"last")
"""
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, check=True)
    assert done.stderr == b"last\n"
