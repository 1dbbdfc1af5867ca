"""Telemetry of a process: logs, traces and error reports.

What is off is not even imported: it costs neither memory nor time to start.
"""

from typing import TYPE_CHECKING

from structlog.types import Processor

from app.core.observability.span_context import NO_SPANS, Spans
from app.core.settings import Settings

if TYPE_CHECKING:
    from app.core.observability.tracing import Traces

LAST_WORDS = 2.0
"""Seconds that the end of a process waits for what is not sent yet."""


class Telemetry:
    """Traces and errors of a process.

    Args:
        role: of the process: api, worker or beat.

    Attributes:
        traces: None where nobody takes them.
        spans: takes notes for them, or none.
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
        """Begin to send. To be called once the process has forked."""
        if self.traces:
            self.traces.start()

    def stop(self) -> None:
        """Send what is left, within LAST_WORDS for each."""
        if self.traces:
            self.traces.stop(LAST_WORDS)
        if self._errors:
            from app.core.observability import sentry

            sentry.flush(LAST_WORDS)


def processors(settings: Settings) -> list[Processor]:
    """Return what each line of the log passes, for traces and errors."""
    found: list[Processor] = []
    if settings.traces_endpoint:
        from app.core.observability.tracing import name_span

        found.append(name_span)
    if settings.sentry_dsn:
        from app.core.observability.sentry import send_to_sentry

        found.append(send_to_sentry)
    return found
