"""Snapshot job: publishes the state of all tasks, for a new consumer."""

from datetime import datetime
from itertools import groupby
from uuid import UUID

from app.core.clock import Clock, NewId
from app.core.jobs.model import Job, Step
from app.tasks.events import snapshots
from app.tasks.unit_of_work import TaskUnitOfWork

BATCH = 1000
"""Tasks per step."""


class SnapshotTasks:
    """Adds snapshots of all users' tasks to the outbox, a batch per step."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    def step(self, work: TaskUnitOfWork, job: Job) -> Step:
        tasks = work.tasks.all_after(_place(job.checkpoint), BATCH)
        for user_id, group in groupby(tasks, key=lambda task: task.user_id):
            work.outbox.add_many(list(snapshots(user_id, list(group), self._new_id, self._clock())))
        done = job.done + len(tasks)
        if len(tasks) < BATCH:
            return Step(finished=True, checkpoint=job.checkpoint, done=done, total=done)
        last = tasks[-1]
        place: dict[str, object] = {"user": str(last.user_id), "at": last.created_at.isoformat(), "id": str(last.id)}
        return Step(finished=False, checkpoint=place, done=done)


def _place(checkpoint: dict[str, object]) -> tuple[UUID, datetime, UUID] | None:
    if not checkpoint:
        return None
    user, at, task = (str(checkpoint[name]) for name in ("user", "at", "id"))
    return UUID(user), datetime.fromisoformat(at), UUID(task)
