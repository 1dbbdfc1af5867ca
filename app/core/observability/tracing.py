"""Traces by OpenTelemetry, exported over OTLP/HTTP. Imported only where traces are on.

The exporting process starts them after its fork: threads do not survive it.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.types import EventDict

from app.core.observability.settings import TelemetrySettings
from app.core.observability.span_context import Span, current
from app.core.version import version

if TYPE_CHECKING:
    from redis import Redis, RedisCluster

TIMEOUT = 5.0
"""Seconds to export a batch of spans, retries included."""

SILENCE = 60.0
"""Minimum seconds between two warnings that spans are lost."""

# The stable semantic conventions, in the instrumentation's spans as in ours.
os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")

log = structlog.get_logger(__name__)


class Traces:
    """Tracer of a process: sampling, resource attributes and export.

    Args:
        settings: with an endpoint.
        role: of this process, the end of its `service.name`: api, worker, tasks-api.
        environment: name of the deployment.
    """

    def __init__(self, settings: TelemetrySettings, role: str, environment: str) -> None:
        self._settings = settings
        self._provider = TracerProvider(
            sampler=ParentBased(_RootSampler(settings.traces_share)),
            resource=Resource.create(
                {
                    "service.name": f"task-manager-{role}",
                    "service.namespace": "task-manager",
                    "service.version": version(),
                    "service.instance.id": os.environ.get("HOSTNAME") or socket.gethostname(),
                    "deployment.environment.name": environment,
                }
            ),
            shutdown_on_exit=False,  # done by `stop`
        )
        self.tracer = self._provider.get_tracer("app", version())

    def start(self) -> None:
        """Start exporting spans. To be called after the fork."""
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(self._settings)))

    def stop(self, seconds: float) -> None:
        """Export pending spans, for at most `seconds`."""
        # In a daemon thread, which the process does not wait for: the library limits each attempt only.
        sending = threading.Thread(target=self._provider.shutdown, name="last-traces", daemon=True)
        sending.start()
        sending.join(seconds)

    def watch(self, client: "Redis | RedisCluster") -> None:
        """Record spans for the commands of a Redis client, without their arguments."""
        RedisInstrumentor.instrument_client(client, tracer_provider=self._provider)

    @contextmanager
    def work(self, name: str, traceparent: str | None, **facts: str | int) -> Iterator[Span]:
        with self.tracer.start_as_current_span(
            name, _parent(traceparent), SpanKind.CONSUMER, facts, record_exception=False, set_status_on_exception=False
        ) as span:
            token = current.set(traceparent_of(span))
            try:
                yield _Work(span)
            except BaseException as error:
                note_failure(span, error)
                raise
            finally:
                current.reset(token)

    @contextmanager
    def send(self, name: str, traceparent: str | None, **facts: str | int) -> Iterator[str | None]:
        span = self.tracer.start_span(name, _parent(traceparent), SpanKind.PRODUCER, facts)
        try:
            yield traceparent_of(span)
        except BaseException as error:
            note_failure(span, error)
            raise
        finally:
            span.end()


class _Work:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def record_error(self, error: BaseException) -> None:
        note_failure(self._span, error)


class _RootSampler(Sampler):
    """Samples root spans by ratio. A root CLIENT span, such as of a loop's poll each second, is dropped."""

    def __init__(self, share: float) -> None:
        self._share = TraceIdRatioBased(share)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        *rest: Any,
        **more: Any,
    ) -> SamplingResult:
        if kind is SpanKind.CLIENT:
            return SamplingResult(Decision.DROP)
        return self._share.should_sample(parent_context, trace_id, name, kind, *rest, **more)

    def get_description(self) -> str:
        return f"RootSampler{{{self._share.get_description()}}}"


class _Exporter(OTLPSpanExporter):
    """OTLP exporter with rate-limited warnings: the library would log each failed batch and attempt."""

    def __init__(self, settings: TelemetrySettings) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
        super().__init__(
            endpoint=f"{(settings.traces_endpoint or '').rstrip('/')}/v1/traces",
            headers=settings.sent_headers,
            timeout=TIMEOUT,
            compression=Compression.Gzip,
        )
        self._lost = 0
        self._silent_until = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if result is SpanExportResult.FAILURE:
            self._lost += len(spans)
            if time.monotonic() >= self._silent_until:
                self._silent_until = time.monotonic() + SILENCE
                log.warning("traces not taken", spans=self._lost)
                self._lost = 0
        return result


def note_failure(span: trace.Span, error: BaseException) -> None:
    """Mark a span as failed, with the error's type; not its message, which may hold personal data."""
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", type(error).__qualname__)


def extract(headers: Mapping[str, str]) -> Context:
    """Return the context of W3C headers, independent of the current context."""
    return TraceContextTextMapPropagator().extract(headers, Context())


def _parent(traceparent: str | None) -> Context:
    return extract({"traceparent": traceparent} if traceparent else {})


def traceparent_of(span: trace.Span) -> str:
    """Return the `traceparent` header of a span, for work that it queues."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def name_span(_logger: object, _method: str, event: EventDict) -> EventDict:
    """structlog processor: add the ids of the current trace and span."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event
