"""Ports of job handlers."""

from typing import Protocol, TypeVar

from app.core.jobs.model import Job, Step

Work_contra = TypeVar("Work_contra", contravariant=True)
"""Unit of work of a service."""


class Handler(Protocol[Work_contra]):
    """Handles jobs of one kind, one step at a time."""

    def step(self, work: Work_contra, job: Job) -> Step:
        """Do the next step. Its writes through `work` and the new checkpoint are committed together."""


class SideEffectHandler(Protocol):
    """Handles short jobs of one kind whose effects are outside the database, such as a mail."""

    @property
    def attempts(self) -> int:
        """Attempts before a job is dead-lettered."""

    def run(self, job: Job) -> None:
        """Do the job, within its lease. It is repeated if the worker dies before the result is recorded."""
