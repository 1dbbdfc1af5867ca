"""Server spans of requests, by OpenTelemetry's semantic conventions for HTTP.

Wraps the request middleware where traces are on. The library's own middleware (opentelemetry-instrumentation-wsgi)
records the query string, which may hold a user's search text, and knows no route.
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
    """WSGI middleware: one span a request, which ends with the last byte of the response.

    Args:
        application: the application; it sets the route in the request context.
        traces: records the spans.
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
        attributes = {"http.request.method": method, "url.path": path, "url.scheme": environ["wsgi.url_scheme"]}
        span = self._tracer.start_span(method.replace("_OTHER", "HTTP"), parent, SpanKind.SERVER, attributes)
        attached = attach(set_span_in_context(span, parent))
        token = current.set(traceparent_of(span))

        def end() -> None:
            current.reset(token)
            detach(attached)
            span.end()

        def start_traced_response(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            _record_response(span, environ, int(status[:3]))
            return start_response(status, headers, *fault)

        try:
            return ClosingIterator(self._application(environ, start_traced_response), end)
        except BaseException as error:
            note_failure(span, error)
            end()
            raise


def _record_response(span: Span, environ: dict[str, Any], status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if route := environ[REQUEST_CONTEXT].route:
        span.set_attribute("http.route", route)
        span.update_name(f"{environ['REQUEST_METHOD']} {route}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", str(status))
