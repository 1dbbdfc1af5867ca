"""Tracing of requests, by OpenTelemetry's conventions for HTTP servers.

Stands around the request middleware, where traces are on. The library's own (opentelemetry-instrumentation-wsgi) notes
the query, in which may be what somebody searched for, and knows no route.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from opentelemetry.context import attach, detach
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from werkzeug.wsgi import ClosingIterator, get_path_info

from app.core.http.middleware import METHODS, PROBES, REQUEST_CONTEXT, Application
from app.core.observability.span_context import current
from app.core.observability.tracing import Traces, extract, note_failure, traceparent_of

HEADERS = {"HTTP_TRACEPARENT": "traceparent", "HTTP_TRACESTATE": "tracestate"}


class TracingMiddleware:
    """Notes how long a request takes until the last byte of its answer is handed over.

    Args:
        application: answers, and lets its visit know the route.
        traces: take the notes.
    """

    def __init__(self, application: Application, traces: Traces) -> None:
        self._application = application
        self._tracer = traces.tracer

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = get_path_info(environ)
        if path.startswith(PROBES):
            return self._application(environ, start_response)
        parent = extract({name: environ[variable] for variable, name in HEADERS.items() if variable in environ})
        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in METHODS else "_OTHER"
        facts = {"http.request.method": method, "url.path": path, "url.scheme": environ["wsgi.url_scheme"]}
        span = self._tracer.start_span(method.replace("_OTHER", "HTTP"), parent, SpanKind.SERVER, facts)
        attached = attach(set_span_in_context(span, parent))
        told = current.set(traceparent_of(span))

        def leave() -> None:
            current.reset(told)
            detach(attached)
            span.end()

        def go_out(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            _note(span, environ, int(status[:3]))
            return start_response(status, headers, *fault)

        try:
            return ClosingIterator(self._application(environ, go_out), leave)
        except BaseException as error:
            note_failure(span, error)
            leave()
            raise


def _note(span: Span, environ: dict[str, Any], status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if route := environ[REQUEST_CONTEXT].route:
        span.set_attribute("http.route", route)
        span.update_name(f"{environ['REQUEST_METHOD']} {route}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", str(status))
