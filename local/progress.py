"""Progress on standard error: one line a step, with its time; on a terminal also colour and the running steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

HEARTBEAT_SECONDS = 60.0


class Progress:
    """Reports steps, which may run at the same time in several threads."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Report the block as a step; one that raises is marked as failed and the error passes through."""
        began = time.monotonic()
        with self._lock:
            self._running[name] = began
        try:
            yield
        except BaseException:
            self._end(name, "[red]✗[/]")
            raise
        self._end(name, "[green]✓[/]")

    def note(self, text: str) -> None:
        """Print one line that is no step."""
        self.console.print(f"  {text}", markup=False)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the running steps while the block runs: live on a terminal, as a line a minute in a pipe."""
        ended = threading.Event()
        if self.console.is_terminal:
            with Live(
                get_renderable=self._render, console=self.console, refresh_per_second=4, transient=True
            ) as self._live:
                yield
            self._live = None
            return
        heartbeat = threading.Thread(target=self._heartbeat, args=(ended,), daemon=True)
        heartbeat.start()
        try:
            yield
        finally:
            ended.set()
            heartbeat.join()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to another program while the block runs."""
        if self._live:
            self._live.stop()
        yield
        if self._live:
            self._live.start(refresh=True)

    def _end(self, name: str, mark: str) -> None:
        with self._lock:
            seconds = time.monotonic() - self._running.pop(name)
        self.console.print(f"  {mark} {name:<52} {seconds:6.1f} s")

    def _render(self) -> Text:
        with self._lock:
            now = time.monotonic()
            return Text("\n".join(f"  … {name:<52} {now - began:6.0f} s" for name, began in self._running.items()))

    def _heartbeat(self, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            with self._lock:
                now = time.monotonic()
                running = ", ".join(f"{name} ({now - began:.0f} s)" for name, began in self._running.items())
            if running:
                self.note(f"… {running}")
