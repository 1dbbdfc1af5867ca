"""Prometheus metrics: RED metrics by route template, the process, and build info."""

from flask import Flask
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.registry import Collector
from prometheus_flask_exporter import PrometheusMetrics  # type: ignore[import-untyped]

from app.core.version import revision, version

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram, seconds: from a cached response to a time-out."""

UNMATCHED = "unmatched"
"""Route label of paths that match no route: raw paths would make a series for every scanner's guess."""


def registry(*more: Collector) -> CollectorRegistry:
    """Return a registry with the process, platform and GC collectors, and further ones."""
    made = CollectorRegistry()
    for kind in (ProcessCollector, PlatformCollector, GCCollector):
        kind(registry=made)
    for collector in more:
        made.register(collector)
    return made


class RequestMetrics:
    """RED metrics of requests, and the registry of the process.

    There is one server process, so prometheus_client's multiprocess mode is not needed.

    `flask_http_request_duration_seconds` has the labels method, url_rule, status; its `_count` is the request rate by
    route. `flask_http_request_total` counts by method and status.

    Args:
        more: further collectors of the application.
    """

    def __init__(self, *more: Collector) -> None:
        self._registry = registry(*more)
        self._durations = Histogram(
            "flask_http_request_duration_seconds",
            "From the start of a request to its response",
            ["method", "url_rule", "status"],
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._total = Counter("flask_http_request", "Requests", ["method", "status"], registry=self._registry)
        # Without a series before the first request, the autoscaler of an idle stack would have no value.
        self._total.labels("GET", 200)

    def record(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count and time a request.

        Args:
            route: the route template, if the path matches one.
            seconds: its duration.
        """
        self._durations.labels(method, route or UNMATCHED, status).observe(seconds)
        self._total.labels(method, status).inc()

    def register(self, app: Flask) -> None:
        """Serve `/metrics`, with build info."""
        # Not the exporter's default metrics: they are Flask hooks, and would miss responses made before Flask.
        exporter = PrometheusMetrics(app, path="/metrics", export_defaults=False, registry=self._registry)
        exporter.info(
            "task_manager_build_info",
            "Version and revision of the running build",
            version=version(),
            revision=revision(),
        )
