"""/metrics on a separate port, which the gateway does not route."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from app.core.http.middleware import Application
from app.core.observability.metrics import RequestMetrics


class MetricsPort:
    """Outermost WSGI middleware: serves `/metrics`, and nothing else, on the metrics port, and only there.

    Args:
        application: serves every other port.
        metrics: the metrics to expose.
        port: the metrics port, one of those that the server listens on.
    """

    def __init__(self, application: Application, metrics: RequestMetrics, port: int) -> None:
        self._application = application
        self._metrics = Flask("metrics", static_folder=None)
        metrics.register(self._metrics)
        self._port = str(port)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # The listener's port, as set by gunicorn: ProxyFix, which applies forwarded headers, comes after this.
        if environ["SERVER_PORT"] == self._port:
            return self._metrics(environ, start_response)
        return self._application(environ, start_response)
