"""Queues of builds for a machine with few cores: Go builds one after another, in the order in which they are needed,
and beside them what mostly waits for the network and the disk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from local.host import commands
from local.images import api_image, catalogue
from local.images.catalogue import Image
from local.images.root_filesystems import PYTHON, RootFilesystem
from local.progress import Progress
from local.tools import go_tools

Result = TypeVar("Result")


class BuildQueue:
    """Builds under way. Used as a context: leaving it by an error ends them."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._go = ThreadPoolExecutor(1, "go")
        self._other = ThreadPoolExecutor(2, "other")
        self._downloads = ThreadPoolExecutor(1, "downloads")
        self._tools: dict[str, Future[Path]] = {}
        self._roots: dict[RootFilesystem, Future[Path]] = {}

    def __enter__(self) -> BuildQueue:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        for pool in (self._go, self._other, self._downloads):
            pool.shutdown(wait=False, cancel_futures=kind is not None)
        if kind is not None:
            commands.end_all()

    def tool(self, name: str) -> Future[Path]:
        """Build a Go tool, after those that were queued before; its modules are downloaded meanwhile."""
        if name not in self._tools:
            if self._tools:
                self.download(name)
            self._tools[name] = self._go.submit(self._build, name)
        return self._tools[name]

    def download(self, name: str) -> Future[None]:
        """Download the modules of a tool that is built later, while others compile.

        What the network refuses now is asked for again by the build, which then says so.
        """
        return self._downloads.submit(go_tools.download, name)

    def _build(self, name: str) -> Path:
        if go_tools.find(name).directory.is_dir():
            return go_tools.build(name)
        with self.progress.step(f"build {name}"):
            return go_tools.build(name)

    def prepare(self, image: Image) -> None:
        """Begin what takes long for an image: its packages and its tools."""
        for name in image.tools:
            self.tool(name)
        if image.root is not None and image.root not in self._roots:
            self._roots[image.root] = self._other.submit(self._packages, image.root)

    def _packages(self, root: RootFilesystem) -> Path:
        if root.layer.exists():
            return root.layer
        with self.progress.step(f"packages of {root.name}"):
            return root.build()

    def archive(self, image: Image) -> Path:
        """Return an image's archive, waiting for what `prepare` began."""
        self.prepare(image)
        for name in image.tools:
            self.tool(name).result()
        if image.root is not None:
            self._roots[image.root].result()
        return image.archive()

    def application(self) -> Future[api_image.BuiltImage]:
        """Build the application's image."""
        return self._other.submit(self._application)

    def _application(self) -> api_image.BuiltImage:
        self._packages(PYTHON)
        base = catalogue.PYTHON_BASE.archive()
        with self.progress.step("application image"):
            return api_image.build(base)

    def submit(self, action: Callable[[], Result]) -> Future[Result]:
        """Run something beside the builds."""
        return self._other.submit(action)
