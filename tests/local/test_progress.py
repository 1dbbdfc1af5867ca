"""Progress on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from local.progress import Progress


def test_nothing_is_drawn_while_another_program_has_the_terminal() -> None:
    screen = io.StringIO()
    progress = Progress(Console(file=screen, force_terminal=True, width=80))
    with progress.shown(), progress.step("build"):
        with progress.paused():
            screen.truncate(0)
            progress.console.print("output of the other program")
            assert "build" not in screen.getvalue()
        progress.console.print("after it")
        assert "build" in screen.getvalue()
