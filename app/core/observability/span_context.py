"""Span context of the current work, as W3C Trace Context."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol

TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?", re.ASCII)

current: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""Of the request, the event or the job under way: what it queues belongs to its trace. None where traces are off."""


def trace_id(traceparent: str) -> str | None:
    """Return the trace that a `traceparent` header names; None where it is none."""
    named = TRACEPARENT.fullmatch(traceparent)
    return named and named[1]


class Span(Protocol):
    """A piece of work under way."""

    def record_error(self, error: BaseException) -> None:
        """Note that it has failed, and by which kind of error; what the error says may hold anything."""


class Spans(Protocol):
    """Notes of work that is no request's, such as a job."""

    def work(self, name: str, traceparent: str | None, **facts: str | int) -> AbstractContextManager[Span]:
        """Note how long the block takes, and whether it raises.

        Args:
            name: what is done; one of a few.
            traceparent: of what has queued it; None begins a trace.
            facts: further attributes.
        """


class NoSpans:
    """Takes no notes."""

    @contextmanager
    def work(self, name: str, traceparent: str | None, **facts: str | int) -> Iterator[Span]:  # noqa: ARG002 a protocol
        yield self

    def record_error(self, error: BaseException) -> None:
        """Forget it."""


NO_SPANS = NoSpans()
