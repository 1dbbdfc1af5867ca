"""Data export archive: written one page at a time, it is one valid ZIP file, with bounded memory."""

import io
import os
import tracemalloc
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID
from zipfile import ZipFile

from hypothesis import given
from hypothesis import strategies as st

from app.core.jobs.data_export_job import ENTRIES, ExportData
from app.core.jobs.model import RESULT, Job
from app.core.personal_data import DataFile, DataPage
from tests.support.fakes import FakeClock
from tests.support.storage import SystemUnitOfWork

MIB = 1 << 20


class Files:
    """The files of one job, in memory; without `keep_result` only the size of the result."""

    def __init__(self, *, keep_result: bool = True) -> None:
        self.chunks: dict[tuple[str, int], bytes] = {}
        self.size = 0
        self._keep_result = keep_result

    def append(self, _job: UUID, name: str, position: int, data: bytes, _now: object) -> None:
        assert (name, position) not in self.chunks
        self.size += len(data)
        self.chunks[name, position] = data if self._keep_result or name == ENTRIES else b""

    def chunk(self, _job: UUID, name: str, position: int) -> bytes | None:
        return self.chunks.get((name, position))

    def delete(self, _job: UUID, name: str) -> None:
        self.chunks = {key: data for key, data in self.chunks.items() if key[0] != name}


class Section:
    """A section of given pages."""

    def __init__(self, pages: Sequence[Sequence[DataFile]]) -> None:
        self._pages = pages

    def page(self, _user_id: UUID, after: str | None) -> DataPage:
        number = int(after or 0)
        last = number + 1 >= len(self._pages)
        return DataPage(self._pages[number] if self._pages else [], None if last else str(number + 1))


def export(sections: Sequence[Section], files: Files, part: str | None = None) -> None:
    """Run the job, each step from the checkpoint of the one before."""
    handler = ExportData(sections, FakeClock(), part=part)
    work = cast(SystemUnitOfWork, SimpleNamespace(files=files))
    values: dict[str, Any] = {}
    while True:
        step = handler.step(work, Job(UUID(int=1), UUID(int=2), "data-export", FakeClock()(), **values))
        if step.finished:
            return
        values = {"checkpoint": step.checkpoint, "done": step.done}


CONTENTS = st.lists(st.lists(st.lists(st.binary(max_size=200), max_size=3), max_size=3), max_size=4)
"""Sections of pages of files."""


@given(CONTENTS, st.sampled_from([None, "tasks"]))
def test_the_archive_has_every_file_of_every_page(contents: list[list[list[bytes]]], part: str | None) -> None:
    folder = f"{part}/" if part else ""
    expected: dict[str, bytes] = {}
    sections = []
    for section, pages in enumerate(contents):
        named = []
        for page, bodies in enumerate(pages):
            names = {f"{section}/{page}/{number} \u00fc.txt": body for number, body in enumerate(bodies)}
            expected |= {folder + name: body for name, body in names.items()}
            named.append([DataFile(name, [body]) for name, body in names.items()])
        sections.append(Section(named))
    files = Files()
    export(sections, files, part)
    assert {name for name, _ in files.chunks} == {RESULT}
    whole = b"".join(files.chunks[key] for key in sorted(files.chunks, key=lambda key: key[1]))
    with ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    readme = found.pop(f"{folder}README.txt")
    assert b"Your password is not among it" in readme
    assert (b"in the other parts" in readme) is (part is not None)
    assert found == expected


def test_memory_does_not_grow_with_the_archive() -> None:
    noise = os.urandom(MIB // 4)  # repeats beyond the window of the compression

    def content() -> Iterator[bytes]:
        for _ in range(4 * 16):
            yield noise

    files = Files(keep_result=False)
    tracemalloc.start()
    export([Section([[DataFile(f"{number}", content())] for number in range(2)])], files)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MIB
