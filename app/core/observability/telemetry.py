"""Telemetry of a process: logs, traces and error reports.

What is off is not imported: it costs neither memory nor start-up time.
"""

from typing import TYPE_CHECKING

from structlog.types import Processor

from app.core.observability.span_context import NO_SPANS, Spans
from app.core.settings import Settings

if TYPE_CHECKING:
    from app.core.observability.tracing import Traces

LAST_WORDS = 2.0
"""Seconds that the shutdown waits for unsent spans and errors, for each."""


class Telemetry:
    """Traces and error reports of a process.

    Args:
        role: of the process: api, worker or beat; behind the name of its service, where it has one alone.

    Attributes:
        traces: None where traces are off.
        spans: records spans of jobs and events; does nothing where traces are off.
    """

    def __init__(self, settings: Settings, role: str) -> None:
        self.traces: Traces | None = None
        self.spans: Spans = NO_SPANS
        environment = settings.deployment or settings.environment
        if settings.traces_endpoint:
            from app.core.observability import tracing

            self.spans = self.traces = tracing.Traces(settings, role, environment)
        self._errors = settings.sentry_dsn is not None
        if self._errors:
            from app.core.observability import sentry

            sentry.set_up(settings, role, environment)

    def start(self) -> None:
        """Start sending. To be called after the fork."""
        if self.traces:
            self.traces.start()

    def stop(self) -> None:
        """Flush traces and errors, for at most LAST_WORDS seconds each."""
        if self.traces:
            self.traces.stop(LAST_WORDS)
        if self._errors:
            from app.core.observability import sentry

            sentry.flush(LAST_WORDS)


def processors(settings: Settings) -> list[Processor]:
    """Return the structlog processors of traces and error reports."""
    found: list[Processor] = []
    if settings.traces_endpoint:
        from app.core.observability.tracing import name_span

        found.append(name_span)
    if settings.sentry_dsn:
        from app.core.observability.sentry import send_to_sentry

        found.append(send_to_sentry)
    return found
