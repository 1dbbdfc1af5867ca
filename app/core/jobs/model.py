"""Model of background jobs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.observability.span_context import current

UPLOAD = "upload"
"""Name of the file that a job works on."""

RESULT = "result"
"""Name of the file that a job makes."""

PIECE = 1 << 19
"""Bytes of each chunk of an uploaded file, the last one aside."""

MOST_REFUSED = 10_000
"""Refused lines of one job that are kept to be listed; the others are counted."""


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Tried in vain as often as is allowed: it waits here with its reason until somebody resumes it."""
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Job:
    """One job.

    Args:
        parameters: what to do; never changes.
        checkpoint: how far it has come, in the handler's own words; changes in the transaction of what was done.
        attempts: how often it has been begun since it last got further.
        cancelling: whether somebody wants it to stop.
        traceparent: of the request or event that has queued it, where there are traces.
    """

    id: UUID
    user_id: UUID | None
    kind: str
    created_at: datetime
    state: State = State.QUEUED
    parameters: dict[str, object] = field(default_factory=dict)
    checkpoint: dict[str, object] = field(default_factory=dict)
    done: int = 0
    total: int | None = None
    refused: int = 0
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    cancelling: bool = False
    traceparent: str | None = field(default_factory=current.get)


def _no_details(_job: Job) -> dict[str, object]:
    return {}


@dataclass(frozen=True)
class JobKind:
    """What the API says of the jobs of a kind beside what it says of all.

    Args:
        media_type: of the result; None for a kind without one.
        file_name: of the result.
        rows_per_chunk: how many rows of what is done one chunk of the result holds; None if it is another number.
        details: returns further fields of the job's body.
    """

    media_type: str | None = None
    file_name: str = ""
    rows_per_chunk: int | None = None
    details: Callable[[Job], dict[str, object]] = _no_details


@dataclass(frozen=True)
class Claimed:
    """What is known of a job that somebody has begun.

    Args:
        attempt: how often it has been begun since it last got further.
        traceparent: as the job's.
    """

    kind: str
    attempt: int
    traceparent: str | None


@dataclass(frozen=True)
class Step:
    """Where a job stands after a step."""

    finished: bool
    checkpoint: dict[str, object] = field(default_factory=dict)
    done: int = 0
    total: int | None = None
    refused: int = 0


@dataclass(frozen=True)
class DeadLetter:
    """A job, or the delivery of an event, that was tried as often as is allowed: nobody tries it again by itself.

    Args:
        what: `job` or `event`.
        id: of the job, or of the event.
        kind: of the job; of a delivery, the consumer.
        tries: how often it was tried in vain.
        at: when the job was given up, or when the event happened.
        error: what went wrong at last.
    """

    what: str
    id: UUID
    kind: str
    tries: int
    at: datetime
    error: str


class PermanentError(Exception):
    """The job can't be done, however often it is tried; the message is fit for its user."""


class InputRejectedError(Exception):
    """What the user gave can't be processed: theirs to mend, by the message, and nothing is wrong with the system."""
