"""WSGI middleware: request id, security headers, access log and RED metrics.

It stands in front of Flask, so that answers for which Flask is not asked pass it too.
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
"""What WSGI calls so (PEP 3333)."""

REQUEST_CONTEXT = "task_manager.visit"
"""Where the environment of a request has its context."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
PROBES = ("/health/", "/metrics")
"""Paths at which a server tells of itself: asked every few seconds, they would drown the rest."""

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
"""What an answer has that says nothing else."""

log = structlog.get_logger(REQUESTS)


@dataclass(slots=True)
class RequestContext:
    """A request under way.

    Attributes:
        started: by time.perf_counter, seconds.
        route: the template that its path fits, told by who finds it.
        user_id: who asks, told by who verifies it.
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
    """Let an application tell its door which route a request takes. To be registered before anything else."""

    @app.before_request
    def tell() -> None:
        request_context(request.environ).route = request.url_rule.rule if request.url_rule else None


def note_refused(metrics: RequestMetrics, status: int, seconds: float, remote: str) -> None:
    """Log and count a request of which the server has no whole header.

    Args:
        seconds: since its first byte.
        remote: the client's address.
    """
    metrics.record("UNKNOWN", None, status, seconds)
    log.info("request", method="UNKNOWN", status=status, duration_ms=round(seconds * 1000, 1), remote=remote)


class RequestMiddleware:
    """Stands in front of an application.

    Args:
        application: what answers.
        metrics: counts and times the requests.
    """

    def __init__(self, application: Application, metrics: RequestMetrics) -> None:
        self._application = application
        self._metrics = metrics
        self._served_by = os.environ.get("HOSTNAME") or socket.gethostname()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        offered = environ.get("HTTP_X_REQUEST_ID", "")
        # Of uuid_utils: the standard one asks the system for each, and may lose the thread's turn by it.
        passing = RequestContext(offered if REQUEST_ID.fullmatch(offered) else uuid4().hex, time.perf_counter())
        environ[REQUEST_CONTEXT] = passing
        # One name for every method that HTTP does not know: nobody can fill the metrics with made-up ones.
        if environ["REQUEST_METHOD"] not in METHODS:
            environ["REQUEST_METHOD"] = "UNKNOWN"
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=passing.request_id)
        if "HTTP_TRACEPARENT" in environ and (trace := trace_id(environ["HTTP_TRACEPARENT"])):
            structlog.contextvars.bind_contextvars(trace_id=trace)

        def go_out(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            self._note(environ, passing, int(status[:3]))
            return start_response(status, self._complete(environ, passing, headers), *fault)

        return self._application(environ, go_out)

    def _complete(
        self, environ: dict[str, Any], passing: RequestContext, headers: list[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        # The server below tells the date.
        complete = [header for header in headers if header[0] != "Date"]
        said = dict(complete)
        complete = without_secrets(complete, said, authorised="HTTP_AUTHORIZATION" in environ)
        complete += [header for header in HEADERS.items() if header[0] not in said]
        if environ["wsgi.url_scheme"] == "https":
            complete.append(("Strict-Transport-Security", f"max-age={YEAR}"))
        complete += [("X-Request-ID", passing.request_id), ("X-Served-By", self._served_by)]
        return complete

    def _note(self, environ: dict[str, Any], passing: RequestContext, status: int) -> None:
        seconds = time.perf_counter() - passing.started
        method = environ["REQUEST_METHOD"]
        path = get_path_info(environ)
        if not path.startswith(PROBES):
            self._metrics.record(method, passing.route, status, seconds)
        elif status < HTTPStatus.BAD_REQUEST:
            return
        log.info(
            "request",
            method=method,
            route=passing.route,
            # without the query: it may hold what somebody searched for
            path=path,
            status=status,
            duration_ms=round(seconds * 1000, 1),
            remote=environ.get("REMOTE_ADDR"),
            user_id=passing.user_id and str(passing.user_id),
        )
