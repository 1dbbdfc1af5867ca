"""Job that converts stored tasks to Unicode normal form."""

from dataclasses import replace
from uuid import UUID

from app.core.jobs.model import Job, Step
from app.core.text import nfc
from app.tasks.model import LONGEST_TITLE, Task
from app.tasks.unit_of_work import TaskUnitOfWork

BATCH = 500
"""Tasks per step: their texts have 10 MB at most."""


class NormaliseTasks:
    """Rewrites tasks that are not in normal form, a batch per step. Version and time stay unchanged: the texts are
    canonically equivalent and look the same."""

    def step(self, work: TaskUnitOfWork, job: Job) -> Step:
        after = job.checkpoint.get("after")
        found = work.tasks.written(UUID(str(after)) if after else None, BATCH)
        for task, normal in found:
            if not normal and (locked := work.tasks.get(task.user_id, task.id, for_update=True)):
                work.tasks.replace(_normalised(locked))
        done, finished = job.done + len(found), len(found) < BATCH
        checkpoint: dict[str, object] = {"after": str(found[-1][0].id)} if found else job.checkpoint
        return Step(finished=finished, checkpoint=checkpoint, done=done, total=done if finished else None)


def _normalised(task: Task) -> Task:
    title = nfc(task.title)
    # NFC expands a few characters to three: such a title may exceed the column and stays as it is.
    return replace(
        task,
        title=title if len(title) <= LONGEST_TITLE else task.title,
        description=nfc(task.description),
    )
