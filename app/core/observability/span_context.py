"""Span context of the current work, as W3C Trace Context."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol

TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?", re.ASCII)

current: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""traceparent of the current request, event or job, stored with the events and jobs that it queues; None where traces
are off."""


def trace_id(traceparent: str) -> str | None:
    """Return the trace id of a `traceparent` header; None if the header is malformed."""
    named = TRACEPARENT.fullmatch(traceparent)
    return named and named[1]


class Span(Protocol):
    """A span of current work."""

    def record_error(self, error: BaseException) -> None:
        """Mark the span as failed, with the error's type; not its message, which may hold personal data."""


class Spans(Protocol):
    """Spans of work outside requests, such as a job."""

    def work(self, name: str, traceparent: str | None, **facts: str | int) -> AbstractContextManager[Span]:
        """Record the block as a span, and an error that it raises.

        Args:
            name: of the span, of low cardinality.
            traceparent: of the request or job that has queued the work; None starts a new trace.
            facts: further attributes.
        """

    def send(self, name: str, traceparent: str | None, **facts: str | int) -> AbstractContextManager[str | None]:
        """Record the block, which sends a message, as a span; yield the `traceparent` for the message.

        Args:
            name, facts: as for `work`.
            traceparent: of what has caused the message.
        """


class NoSpans:
    """Records nothing: traces are off."""

    @contextmanager
    def work(self, name: str, traceparent: str | None, **facts: str | int) -> Iterator[Span]:  # noqa: ARG002 a protocol
        yield self

    @contextmanager
    def send(self, name: str, traceparent: str | None, **facts: str | int) -> Iterator[str | None]:  # noqa: ARG002
        yield traceparent

    def record_error(self, error: BaseException) -> None:
        """Do nothing."""


NO_SPANS = NoSpans()
