"""Metrics on a port of their own, which is not routed."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from app.core.http.middleware import Application
from app.core.observability.metrics import RequestMetrics


class MetricsPort:
    """Stands before everything else: `/metrics` is at its port and nowhere else, and at its port is nothing else.

    Args:
        application: answers at every other port.
        metrics: what is told.
        port: at which the server listens, too.
    """

    def __init__(self, application: Application, metrics: RequestMetrics, port: int) -> None:
        self._application = application
        self._metrics = Flask("metrics", static_folder=None)
        metrics.register(self._metrics)
        self._port = str(port)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # The listener's, as gunicorn says it: no header of a request has changed it yet.
        if environ["SERVER_PORT"] == self._port:
            return self._metrics(environ, start_response)
        return self._application(environ, start_response)
