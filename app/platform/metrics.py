"""Prometheus metrics: rate, errors and duration of requests by route template, the process, and what runs."""

from typing import Any

from flask import Flask, Request
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.registry import Collector
from prometheus_flask_exporter import PrometheusMetrics  # type: ignore[import-untyped]

from app.platform.version import revision, version

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, seconds: from a cached answer to a time-out."""


def url_rule(request: Request) -> str:
    """Return the route template. Raw paths would make a series of every identifier, and of every scanner's guess."""
    return request.url_rule.rule if request.url_rule else "unmatched"


def register(app: Flask, *more: Collector) -> Any:
    """Measure an application and serve `/metrics`, with `more` that the application counts itself.

    One server process keeps them, so plain memory is enough.

    `flask_http_request_duration_seconds` has the labels method, url_rule, status; its `_count` is the request rate by
    route. `flask_http_request_total` counts by method and status.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    for collector in more:
        registry.register(collector)
    metrics = PrometheusMetrics(
        app, path="/metrics", group_by=url_rule, buckets=BUCKETS, registry=registry, excluded_paths="^/health/"
    )
    metrics.info("task_manager_build_info", "What runs", version=version(), revision=revision())
    return metrics
