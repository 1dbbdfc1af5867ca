"""WSGI middleware: request id, security headers, access log and RED metrics.

It wraps Flask, so that responses made before Flask pass it too.
"""

import os
import re
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, request
from uuid_utils import uuid4
from werkzeug.wsgi import get_path_info

from app.core.http.cache_control import NOBODY, YEAR, without_secrets
from app.core.observability.logging import REQUESTS
from app.core.observability.metrics import RequestMetrics
from app.core.observability.span_context import trace_id

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application (PEP 3333)."""

REQUEST_CONTEXT = "task_manager.request_context"
"""Key of the WSGI environment: the RequestContext."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
PROBES = ("/health/", "/metrics")
"""Health and metrics paths: requested every few seconds, they would drown the rest of log and metrics."""

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Cache-Control": NOBODY,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers added to each response that does not set them itself."""

log = structlog.get_logger(REQUESTS)


@dataclass(slots=True)
class RequestContext:
    """A request under way.

    Attributes:
        started: by time.perf_counter, seconds.
        route: the route template, once it is matched.
        user_id: the caller, once the token is verified.
    """

    request_id: str
    started: float
    route: str | None = None
    user_id: UUID | None = None


def request_context(environ: dict[str, Any]) -> RequestContext:
    """Return the context of a request that has passed the middleware."""
    passed: RequestContext = environ[REQUEST_CONTEXT]
    return passed


def register(app: Flask) -> None:
    """Set the route in the request context. To be registered before every other hook."""

    @app.before_request
    def set_route() -> None:
        request_context(request.environ).route = request.url_rule.rule if request.url_rule else None


def note_refused(metrics: RequestMetrics, status: int, seconds: float, remote: str) -> None:
    """Log and count a request that the server rejected before its header was complete.

    Args:
        seconds: since its first byte.
        remote: the client's address.
    """
    metrics.record("UNKNOWN", None, status, seconds)
    log.info("request", method="UNKNOWN", status=status, duration_ms=round(seconds * 1000, 1), remote=remote)


class RequestMiddleware:
    """WSGI middleware around the application.

    Args:
        application: the wrapped application.
        metrics: counts and times the requests.
    """

    def __init__(self, application: Application, metrics: RequestMetrics) -> None:
        self._application = application
        self._metrics = metrics
        self._served_by = os.environ.get("HOSTNAME") or socket.gethostname()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        received_id = environ.get("HTTP_X_REQUEST_ID", "")
        # uuid_utils: the standard uuid4 makes a system call each, and may lose the GIL in it.
        context = RequestContext(received_id if REQUEST_ID.fullmatch(received_id) else uuid4().hex, time.perf_counter())
        environ[REQUEST_CONTEXT] = context
        # One name for every unknown method, which bounds the cardinality of the metrics.
        if environ["REQUEST_METHOD"] not in METHODS:
            environ["REQUEST_METHOD"] = "UNKNOWN"
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=context.request_id)
        if "HTTP_TRACEPARENT" in environ and (trace := trace_id(environ["HTTP_TRACEPARENT"])):
            structlog.contextvars.bind_contextvars(trace_id=trace)

        def start_complete_response(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            self._record(environ, context, int(status[:3]))
            return start_response(status, self._complete(environ, context, headers), *fault)

        return self._application(environ, start_complete_response)

    def _complete(
        self, environ: dict[str, Any], context: RequestContext, headers: list[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        # gunicorn sets Date.
        complete = [header for header in headers if header[0] != "Date"]
        said = dict(complete)
        complete = without_secrets(complete, said, authorised="HTTP_AUTHORIZATION" in environ)
        complete += [header for header in HEADERS.items() if header[0] not in said]
        if environ["wsgi.url_scheme"] == "https":
            complete.append(("Strict-Transport-Security", f"max-age={YEAR}"))
        complete += [("X-Request-ID", context.request_id), ("X-Served-By", self._served_by)]
        return complete

    def _record(self, environ: dict[str, Any], context: RequestContext, status: int) -> None:
        seconds = time.perf_counter() - context.started
        method = environ["REQUEST_METHOD"]
        path = get_path_info(environ)
        if not path.startswith(PROBES):
            self._metrics.record(method, context.route, status, seconds)
        elif status < HTTPStatus.BAD_REQUEST:
            return
        log.info(
            "request",
            method=method,
            route=context.route,
            # without the query string: it may hold a user's search text
            path=path,
            status=status,
            duration_ms=round(seconds * 1000, 1),
            remote=environ.get("REMOTE_ADDR"),
            user_id=context.user_id and str(context.user_id),
        )
