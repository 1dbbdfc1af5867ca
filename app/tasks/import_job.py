"""CSV import job: one batch of tasks per step, and a report of rejected lines."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.errors import InvalidError
from app.core.events.model import Event
from app.core.jobs.model import CHUNK_BYTES, MOST_REFUSED_LINES, UPLOAD, InputRejectedError, Job, PermanentError, Step
from app.tasks.bulk_insert import add_tasks
from app.tasks.csv_dialect import Dialect
from app.tasks.csv_reader import Lines, Record, records
from app.tasks.events import SNAPSHOT, import_finished, snapshot
from app.tasks.import_plan import HEAD, Column, Options, Plan, check, plan_of
from app.tasks.import_rows import RefusedError, RowReader
from app.tasks.model import Task
from app.tasks.unit_of_work import TaskUnitOfWork

BATCH = 5000
"""Most records per step: a transaction of about 250 ms on PostgreSQL."""

BATCH_BYTES = 4 << 20
"""Approximate bytes of the file per step: bounds memory for long records."""

LOST = "A part of the uploaded file is no longer there: import the lines that are not yet tasks anew."


class ImportTasks:
    """Imports tasks from the upload of the job."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: TaskUnitOfWork, job: Job) -> Step:
        assert job.user_id is not None  # noqa: S101 an import has a user
        uploaded = UploadedFile(work, job)
        plan = _plan(job, uploaded)
        offset, count = (_number(job.checkpoint.get(name)) for name in ("offset", "lines"))
        lines = Lines(uploaded.chunk, CHUNK_BYTES, plan.dialect, offset or plan.offset, count or plan.lines)
        begun, finished = lines.offset, True
        some: list[Record] = []
        for record in records(lines):
            some.append(record)
            if len(some) == BATCH or lines.offset - begun >= BATCH_BYTES:
                finished = False
                break
        batch = Batch(job.user_id, RowReader(plan), self._clock(), self._new_id)
        add_tasks(work.session, job.user_id, batch.tasks(some))
        work.outbox.add_many(batch.events)
        work.files.add_refused_lines(job.id, batch.refused[: max(MOST_REFUSED_LINES - job.refused, 0)])
        done, refused = job.done + batch.done, job.refused + len(batch.refused)
        if finished:
            work.files.delete(job.id, UPLOAD)
            work.outbox.add(import_finished(job.user_id, done - refused, refused, self._new_id, self._clock()))
        return Step(
            finished=finished,
            checkpoint={"offset": lines.offset, "lines": lines.lines},
            done=done,
            total=done if finished else job.total,
            refused=refused,
        )


class UploadedFile:
    """Uploaded file of a job, by chunk; the size of each is verified, so that no lost part goes unnoticed."""

    def __init__(self, work: TaskUnitOfWork, job: Job) -> None:
        self._work = work
        self._job_id = job.id
        self._size = _number(job.parameters.get("bytes"))
        if not self._size:  # a job of the previous release, which did not record it
            self._size = work.files.size(job.id, UPLOAD)[1]
            if self._size <= _number(job.checkpoint.get("offset")):
                raise PermanentError(LOST)

    def chunk(self, index: int) -> bytes:
        """Return a chunk; empty past the last. Raises PermanentError if it is missing or incomplete."""
        size = max(min(CHUNK_BYTES, self._size - index * CHUNK_BYTES), 0)
        data = self._work.files.chunk(self._job_id, UPLOAD, index) if size else b""
        if data is None or len(data) != size:
            raise PermanentError(LOST)
        return data


class Batch:
    """Converts records to tasks lazily, and collects the results.

    Attributes:
        events: snapshot events of the tasks.
        refused: rejected lines: number, reason, and beginning of the text.
        done: number of tasks and rejected lines together.
    """

    def __init__(self, user_id: UUID, reader: RowReader, now: datetime, new_id: NewId) -> None:
        self.events: list[Event] = []
        self.refused: list[tuple[int, str, str]] = []
        self.done = 0
        self._user_id = user_id
        self._reader = reader
        self._now = now
        self._new_id = new_id

    def tasks(self, records: Iterable[Record]) -> Iterator[Task]:
        accepted = self._accepted(records)
        while some := list(islice(accepted, SNAPSHOT)):
            self.events.append(snapshot(self._user_id, some, self._new_id, self._now))
            yield from some

    def _accepted(self, records: Iterable[Record]) -> Iterator[Task]:
        now = self._now
        for record in records:
            try:
                values = self._reader.values(record)
            except RefusedError as error:
                self.done += 1
                self.refused.append((record.line, str(error), shown(record.text)))
                continue
            if values is not None:
                self.done += 1
                yield Task(
                    id=self._new_id(), user_id=self._user_id, created_at=now, updated_at=now, version=1, **values
                )


def _plan(job: Job, uploaded: UploadedFile) -> Plan:
    parameters = job.parameters.get("plan")
    if isinstance(parameters, dict):
        return Plan.from_parameters(parameters)
    former = job.checkpoint.get("columns")  # a job started by the previous release
    if isinstance(former, list):
        columns = tuple(Column(name, name, known=True) for name in former)
        return Plan("tasks", Dialect(), columns, None, "UTC", 0, 0)
    try:
        plan = plan_of(uploaded.chunk(0)[:HEAD], Options())
        check(plan, Options())
    except InvalidError as error:
        raise InputRejectedError(f"The file can't be imported: {error}.") from None
    return plan


def shown(text: str) -> str:
    """Return the beginning of a line in characters that any database stores."""
    return text.rstrip("\r\n").replace("\x00", "\ufffd").encode(errors="replace").decode()[:200]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
