"""Model of background jobs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.observability.span_context import current

UPLOAD = "upload"
"""Name of a job's input file."""

RESULT = "result"
"""Name of a job's output file."""

CHUNK_BYTES = 1 << 19
"""Bytes of each chunk of an uploaded file except the last one."""

MOST_REFUSED_LINES = 10_000
"""Rejected lines of a job that are stored; further ones are only counted."""


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Rejected or dead-lettered, with a reason; can be resumed."""
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Job:
    """A background job.

    Args:
        parameters: input of the handler; immutable.
        checkpoint: progress, in a format of the handler's; updated in the transaction of each step.
        attempts: starts since the last progress.
        cancelling: whether cancellation was requested.
        traceparent: trace context of the request or event that queued the job, if there is one.
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
    """How the API presents jobs of a kind: their result, and fields that other kinds do not have.

    Args:
        media_type: media type of the result; None for a kind without one.
        file_name: file name of the result.
        rows_per_chunk: rows of `done` in each chunk of the result, by which an incomplete result is detected; None if
            the number varies.
        details: returns the further fields of the response body.
    """

    media_type: str | None = None
    file_name: str = ""
    rows_per_chunk: int | None = None
    details: Callable[[Job], dict[str, object]] = _no_details


@dataclass(frozen=True)
class Claimed:
    """Kind, attempt and trace context of a claimed job.

    Args:
        attempt: starts since the last progress.
        traceparent: trace context of the job.
    """

    kind: str
    attempt: int
    traceparent: str | None


class DeferredError(Exception):
    """The job is not to be done before a later time. Its attempts are not used up.

    Args:
        until: when to do it.
    """

    def __init__(self, until: datetime) -> None:
        super().__init__(f"deferred until {until.isoformat()}")
        self.until = until


@dataclass(frozen=True)
class Step:
    """Progress of a job after a step."""

    finished: bool
    checkpoint: dict[str, object] = field(default_factory=dict)
    done: int = 0
    total: int | None = None
    refused: int = 0


@dataclass(frozen=True)
class DeadLetter:
    """A job, event delivery or message that has failed permanently, and is no longer retried automatically.

    Args:
        what: `job`, `event` or `message`.
        id: id of the job or event; for a message that is no event, one made from its content.
        kind: kind of the job; for a delivery, the consumer; for a message, the queue.
        tries: failed attempts.
        at: when the job was dead-lettered, or when the event happened.
        error: the last error.
    """

    what: str
    id: UUID
    kind: str
    tries: int
    at: datetime
    error: str


class PermanentError(Exception):
    """The job has failed permanently: retries would fail too. The message may be shown to the job's user."""


class InputRejectedError(Exception):
    """The user's input can't be processed. The message tells the user what to correct; it is no fault of the system."""
