"""What does the jobs of a kind."""

from typing import Protocol

from app.jobs.model import Job, Step
from app.storage.work import SqlWork


class Handler(Protocol):
    """Does jobs of one kind, a step at a time."""

    def step(self, work: SqlWork, job: Job) -> Step:
        """Do the next part. What it writes through `work` and where the job then stands become true together."""
