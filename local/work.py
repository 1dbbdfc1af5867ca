"""The order of work on a machine with few cores: Go builds one after another in the order in which they are needed, and
beside them what mostly waits for the network and the disk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from local import api_image, commands, images, tools
from local.images import Image
from local.progress import Progress

Result = TypeVar("Result")


class Work:
    """Builds under way. Used as a context: leaving it by an error ends them."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._go = ThreadPoolExecutor(1, "go")
        self._other = ThreadPoolExecutor(2, "other")
        self._tools: dict[str, Future[Path]] = {}
        self._archives: dict[str, Future[Path]] = {}

    def __enter__(self) -> Work:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        for pool in (self._go, self._other):
            pool.shutdown(wait=False, cancel_futures=kind is not None)
        if kind is not None:
            commands.end_all()

    def tool(self, name: str) -> Future[Path]:
        """Build a Go tool, after those that were asked for before."""
        if name not in self._tools:
            self._tools[name] = self._go.submit(self._build, name)
        return self._tools[name]

    def _build(self, name: str) -> Path:
        if tools.find(name).directory.is_dir():
            return tools.build(name)
        with self.progress.step(f"build {name}"):
            return tools.build(name)

    def archive(self, image: Image) -> Future[Path]:
        """Make an image's archive; the Go tools in it are expected to be built or asked for."""
        if image.reference not in self._archives:
            self._archives[image.reference] = self._other.submit(self._archive, image)
        return self._archives[image.reference]

    def _archive(self, image: Image) -> Path:
        for name in image.tools:
            self.tool(name).result()
        if image.root is not None and not image.root.layer.exists():
            with self.progress.step(f"install packages for {image.short_name}"):
                image.root.build()
        return image.archive()

    def application(self) -> Future[api_image.Built]:
        """Build the application's image."""
        return self._other.submit(self._application)

    def _application(self) -> api_image.Built:
        base = self._archive(images.PYTHON_BASE)
        with self.progress.step("application image"):
            return api_image.build(base)

    def aside(self, action: Callable[[], Result]) -> Future[Result]:
        """Run something beside the builds."""
        return self._other.submit(action)
