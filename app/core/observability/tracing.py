"""Traces by OpenTelemetry, over OTLP/HTTP. Imported only where traces are on.

The process that is to tell of them starts them: threads do not survive a fork.
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
"""Seconds for a batch of spans to be taken, all tries together."""

SILENCE = 60.0
"""Seconds between two lines that say that spans are lost."""

# The names of today's conventions, in the library's spans as in ours.
os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")

log = structlog.get_logger(__name__)


class Traces:
    """What becomes a trace, and where it goes.

    Args:
        settings: with an endpoint.
        role: of this process: api, worker or beat.
        environment: the deployment that it belongs to.
    """

    def __init__(self, settings: TelemetrySettings, role: str, environment: str) -> None:
        self._settings = settings
        self._provider = TracerProvider(
            sampler=ParentBased(_Beginning(settings.traces_share)),
            resource=Resource.create(
                {
                    "service.name": f"task-manager-{role}",
                    "service.namespace": "task-manager",
                    "service.version": version(),
                    "service.instance.id": os.environ.get("HOSTNAME") or socket.gethostname(),
                    "deployment.environment.name": environment,
                }
            ),
            shutdown_on_exit=False,  # see stop
        )
        self.tracer = self._provider.get_tracer("app", version())

    def start(self) -> None:
        """Begin to send what is noted. To be called once the process has forked."""
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(self._settings)))

    def stop(self, seconds: float) -> None:
        """Send what is left, but not for longer than that."""
        # In a thread that the process does not wait for: the library's own limit is that of each try.
        sending = threading.Thread(target=self._provider.shutdown, name="last-traces", daemon=True)
        sending.start()
        sending.join(seconds)

    def watch(self, client: "Redis | RedisCluster") -> None:
        """Note the commands of a Redis client, without their arguments."""
        RedisInstrumentor.instrument_client(client, tracer_provider=self._provider)

    @contextmanager
    def work(self, name: str, traceparent: str | None, **facts: str | int) -> Iterator[Span]:
        parent = extract({"traceparent": traceparent} if traceparent else {})
        with self.tracer.start_as_current_span(
            name, parent, SpanKind.CONSUMER, facts, record_exception=False, set_status_on_exception=False
        ) as span:
            told = current.set(traceparent_of(span))
            try:
                yield _Work(span)
            except BaseException as error:
                note_failure(span, error)
                raise
            finally:
                current.reset(told)


class _Work:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def record_error(self, error: BaseException) -> None:
        note_failure(self._span, error)


class _Beginning(Sampler):
    """Decides on traces that begin here: a share of them, and none for what a loop asks a server each second."""

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
        return f"Beginning{{{self._share.get_description()}}}"


class _Exporter(OTLPSpanExporter):
    """Says that spans are lost once in a while; the library would say so of each batch and each try."""

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
    """Note by which kind of error a span failed, without the error's own words, which may be somebody's data."""
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", type(error).__qualname__)


def extract(headers: Mapping[str, str]) -> Context:
    """Return the context that W3C headers name, and nothing of the one that is there."""
    return TraceContextTextMapPropagator().extract(headers, Context())


def traceparent_of(span: trace.Span) -> str:
    """Return the header that makes other work part of a span."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def name_span(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Let a line of the log name the span in which it is written."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event
