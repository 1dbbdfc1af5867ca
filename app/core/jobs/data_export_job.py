"""Data export job: writes a copy of a user's data, or a part of it, as a ZIP file, one page in each step."""

import json
from collections.abc import Callable, Sequence
from typing import Generic, Protocol
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from app.core.clock import Clock
from app.core.database.retries import run
from app.core.database.unit_of_work import Storage, UnitOfWork, W
from app.core.jobs.model import RESULT, Job, JobKind, PermanentError, Step
from app.core.personal_data import DataPage, DataSection, json_file

KIND = "data-export"

ARCHIVE = JobKind("application/zip", "my-data.zip")

MOVED = "Your data has been moved to a database for each service meanwhile: ask for another copy of it."

ENTRIES = "entries"
"""Job file with the entries of the archive's central directory, which is written last."""

CHUNK = 1 << 19
"""Bytes of a chunk of the archive, which bounds the memory."""

FIELDS = ("filename", "date_time", "compress_type", "CRC", "compress_size", "file_size", "header_offset", "flag_bits")
"""Attributes of `ZipInfo` that the central directory needs."""

WHOLE = "This is a copy of what is kept of you."

PART = "This is a part of a copy of what is kept of you. Files of this list that it lacks are in the other parts."

README = """\
{what} Each file is as it was when it was written into this archive.

account.json, sessions.json, picture.webp   your account, and where you logged in
audit.json                                  what was done to your account
tasks-0001.json and so on                   your tasks, with tags and reminders
attachments/TASK/FILE/NAME                  their files, by the ids of task and file
notifications.json, mail-preferences.json   what you were told, and which mails you want
statistics.json                             what you created and completed on each day
jobs.json                                   your imports and exports

Your password is not among it: nobody knows it. Times are those of UTC.
"""


class DataSource(Protocol):
    """Section of a service's data, read in that service's own transactions."""

    def page(self, user_id: UUID, after: str | None) -> DataPage:
        """Return a user's files after a cursor: some megabytes at most."""


class StoredSection(Generic[W]):
    """Section of a service's data, bound to the service's storage."""

    def __init__(self, storage: Storage[W], section: DataSection[W]) -> None:
        self._storage = storage
        self._section = section

    def page(self, user_id: UUID, after: str | None) -> DataPage:
        return run(self._storage.read, lambda work: self._section.page(work, user_id, after))


class ExportData:
    """Job handler that writes the archive, one page of a section in each step. Pages are read at different times.

    Args:
        sections: sections of all services, in order.
        clock: time.
        complete: whether the database has the data of all sections still.
        part: name of the part; None for an archive of everything. The files are in a folder of this name, so that all
            parts can be unpacked in one place.
    """

    def __init__(
        self,
        sections: Sequence[DataSource],
        clock: Clock,
        complete: Callable[[], bool] = lambda: True,
        part: str | None = None,
    ) -> None:
        self._sections = sections
        self._clock = clock
        self._complete = complete
        self._folder = f"{part}/" if part else ""
        self._readme = README.format(what=PART if part else WHOLE)

    def step(self, work: UnitOfWork, job: Job) -> Step:
        assert job.user_id is not None  # noqa: S101 data exports have an owner
        place = {"section": 0, "after": None, "pages": 0, "pieces": 0, "offset": 0, **job.checkpoint}
        section, pages, chunks, offset = (int(str(place[name])) for name in ("section", "pages", "pieces", "offset"))
        output = _ChunkedOutput(lambda number, data: self._append(work, job.id, RESULT, number, data), chunks, offset)
        if section == len(self._sections):
            self._finish(work, job.id, output, pages)
            output.close()
            work.files.delete(job.id, ENTRIES)
            return Step(finished=True, checkpoint=job.checkpoint, done=job.done, total=job.done)
        after = place["after"]
        page = self._sections[section].page(job.user_id, None if after is None else str(after))
        if not self._complete():  # asked after the page was read: it was not outdated then
            raise PermanentError(MOVED)
        entries = _write(output, page, self._folder)
        self._append(work, job.id, ENTRIES, pages, json.dumps(entries).encode())
        checkpoint: dict[str, object] = {
            "section": section + (page.after is None),
            "after": page.after,
            "pages": pages + 1,
            "pieces": output.number,
            "offset": output.tell(),
        }
        return Step(finished=False, checkpoint=checkpoint, done=job.done + len(entries))

    def _finish(self, work: UnitOfWork, job_id: UUID, output: "_ChunkedOutput", pages: int) -> None:
        """Write the last file, README.txt, and the central directory."""
        with ZipFile(output, "w", ZIP_DEFLATED) as archive:
            for page in range(pages):
                for values in json.loads(work.files.chunk(job_id, ENTRIES, page) or b"[]"):
                    archive.infolist().append(_entry(values))
            archive.writestr(f"{self._folder}README.txt", self._readme)

    def _append(self, work: UnitOfWork, job_id: UUID, name: str, number: int, data: bytes) -> None:
        work.files.append(job_id, name, number, data, self._clock())


class JobsData:
    """Section of the data export: the user's jobs."""

    def page(self, work: UnitOfWork, user_id: UUID, after: str | None) -> DataPage:
        found = work.jobs.find(user_id, UUID(after) if after else None, 1000)
        hidden = ("traceparent", "checkpoint")
        jobs = [{name: value for name, value in vars(job).items() if name not in hidden} for job in found]
        files = [json_file(f"jobs-{after}.json" if after else "jobs.json", jobs)] if found else []
        return DataPage(files, str(found[-1].id) if len(found) == 1000 else None)


class _ChunkedOutput:
    """Unseekable file-like object for ZipFile, which then writes strictly in order: stores the bytes in chunks.

    Args:
        store: stores the chunk of a number.
        number: number of the next chunk.
        offset: bytes of the archive so far.
    """

    def __init__(self, store: Callable[[int, bytes], None], number: int, offset: int) -> None:
        self.number = number
        self._store = store
        self._offset = offset
        self._buffer = bytearray()
        self._open = True

    def write(self, data: bytes) -> int:
        if self._open:
            self._offset += len(data)
            self._buffer += data
            while len(self._buffer) >= CHUNK:
                self._put(CHUNK)
        return len(data)

    def tell(self) -> int:
        return self._offset

    def flush(self) -> None:
        """Do nothing: ZipFile calls it after each file; chunks are stored when they are full."""

    def close(self) -> None:
        """Store the rest of the buffer, and ignore further writes."""
        self._open = False
        if self._buffer:
            self._put(len(self._buffer))

    def _put(self, size: int) -> None:
        self._store(self.number, bytes(self._buffer[:size]))
        self.number += 1
        del self._buffer[:size]


def _write(output: _ChunkedOutput, page: DataPage, folder: str) -> list[dict[str, object]]:
    """Write the files of a page into a folder, and return their entries for the central directory."""
    with ZipFile(output, "w", ZIP_DEFLATED) as archive:
        for file in page.files:
            with archive.open(folder + file.name, "w") as target:
                for chunk in file.content:
                    target.write(chunk)
        output.close()  # before ZipFile writes a central directory of this page alone
        return [{name: getattr(entry, name) for name in FIELDS} for entry in archive.infolist()]


def _entry(values: dict[str, object]) -> ZipInfo:
    entry = ZipInfo()
    for name in FIELDS:
        value = values[name]
        setattr(entry, name, tuple(value) if isinstance(value, list) else value)
    return entry
