"""Prometheus metrics: rate, errors and duration of requests by route template, the process, and what runs."""

from flask import Flask
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.registry import Collector
from prometheus_flask_exporter import PrometheusMetrics  # type: ignore[import-untyped]

from app.core.version import revision, version

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, seconds: from a cached answer to a time-out."""

UNMATCHED = "unmatched"
"""The route of paths that fit none. Raw paths would make a series of every scanner's guess."""


def registry(*more: Collector) -> CollectorRegistry:
    """Return a registry of what a process tells of itself, and of what else it counts."""
    made = CollectorRegistry()
    for kind in (ProcessCollector, PlatformCollector, GCCollector):
        kind(registry=made)
    for collector in more:
        made.register(collector)
    return made


class RequestMetrics:
    """What is told of requests, and a registry of all that the process tells.

    One server process keeps them, so plain memory is enough.

    `flask_http_request_duration_seconds` has the labels method, url_rule, status; its `_count` is the request rate by
    route. `flask_http_request_total` counts by method and status.

    Args:
        more: what the application counts itself.
    """

    def __init__(self, *more: Collector) -> None:
        self._registry = registry(*more)
        self._durations = Histogram(
            "flask_http_request_duration_seconds",
            "From the first look at a request to its answer",
            ["method", "url_rule", "status"],
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._total = Counter("flask_http_request", "Requests", ["method", "status"], registry=self._registry)

    def record(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count and time a request.

        Args:
            route: the template that its path fits, if there is one.
        """
        self._durations.labels(method, route or UNMATCHED, status).observe(seconds)
        self._total.labels(method, status).inc()

    def register(self, app: Flask) -> None:
        """Serve `/metrics`, and say there what runs."""
        # Its own measures are hooks of Flask: they would miss the answers for which Flask is not asked.
        exporter = PrometheusMetrics(app, path="/metrics", export_defaults=False, registry=self._registry)
        exporter.info("task_manager_build_info", "What runs", version=version(), revision=revision())
