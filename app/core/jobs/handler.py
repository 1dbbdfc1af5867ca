"""Ports of job handlers."""

from typing import Protocol, TypeVar

from app.core.jobs.model import Job, Step

Work_contra = TypeVar("Work_contra", contravariant=True)
"""The tables of a service within one transaction."""


class Handler(Protocol[Work_contra]):
    """Does jobs of one kind, a step at a time."""

    def step(self, work: Work_contra, job: Job) -> Step:
        """Do the next part. What it writes through `work` and where the job then stands become true together."""


class SideEffectHandler(Protocol):
    """Does short jobs of one kind outside the database, where no transaction can undo them."""

    @property
    def attempts(self) -> int:
        """How often such a job is tried before it is given up."""

    def run(self, job: Job) -> None:
        """Do the job, within its lease. A worker that dies just after has it done again."""
