"""CSV export job: a batch of tasks a step."""

import csv
import io
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from app.core.clock import Clock
from app.core.csv_safety import harmless
from app.core.jobs.model import RESULT, Job, JobKind, PermanentError, Step
from app.tasks.import_formats import COLUMNS
from app.tasks.import_rows import tags_cell
from app.tasks.model import Status
from app.tasks.query import Filters, Position, Query, Sort
from app.tasks.unit_of_work import TaskUnitOfWork

BATCH = 2000
"""Tasks per step, and per chunk of the result."""

KIND = JobKind("text/csv", "tasks.csv", rows_per_chunk=BATCH)


class ExportTasks:
    """Writes the tasks that match the job's filters to its result, in the format of the import."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def step(self, work: TaskUnitOfWork, job: Job) -> Step:
        assert job.user_id is not None  # noqa: S101 an export has a user
        status, q = job.parameters.get("status"), job.parameters.get("q")
        filters = Filters(
            status=Status(str(status)) if status else None,
            q=str(q) if q else None,
            tag=str(job.parameters["tag"]) if "tag" in job.parameters else None,
        )
        query = Query(filters, Sort.CREATED, BATCH)
        if job.checkpoint:
            if work.files.size(job.id, RESULT)[0] < job.done // BATCH:
                raise PermanentError("What had been exported is no longer there: export anew.")
            last = datetime.fromisoformat(str(job.checkpoint["at"])), UUID(str(job.checkpoint["id"]))
            query = replace(query, after=Position(*last))
        tasks = work.tasks.find(job.user_id, query)
        text = io.StringIO()
        writer = csv.writer(text)
        if job.done == 0:
            if job.parameters.get("byte_order_mark"):
                text.write("\ufeff")
            writer.writerow(COLUMNS)
        for task in tasks:
            due, remind = (time.isoformat() if time else "" for time in (task.due_at, task.remind_at))
            cells = (task.title, task.description, task.status.value, due, tags_cell(task.tags), remind)
            writer.writerow([harmless(cell) for cell in cells])
        chunk = job.done // BATCH
        if data := text.getvalue().encode():
            work.files.append(job.id, RESULT, chunk, data, self._clock())
        done, finished = job.done + len(tasks), len(tasks) < BATCH
        last_seen: dict[str, object] = job.checkpoint
        if tasks:
            last_seen = {"at": tasks[-1].created_at.isoformat(), "id": str(tasks[-1].id)}
        return Step(finished, last_seen, done, done if finished else None)
