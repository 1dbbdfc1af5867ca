"""Metrics of queue depth: jobs, outbox events and failed deliveries."""

from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.core.clock import Clock
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import UnavailableError

log = structlog.get_logger(__name__)


class QueueDepth(Collector):
    """Prometheus collector that counts in the database at each scrape.

    Every process reports the same values: aggregate by maximum, not by sum.
    """

    def __init__(self, storage: Storage[UnitOfWork], clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metric families without a query: the database may not be reachable yet."""
        yield from _families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        jobs, waiting, age, failures = families = _families()
        try:
            with self._storage.read() as work:
                counts = work.jobs.counts()
                events, oldest = work.outbox.backlog()
                failed = work.inbox.failures()
        except UnavailableError:
            log.warning("queue depth unknown: database unavailable")
            yield from families
            return
        for state, number in counts.items():
            jobs.add_metric([state], number)
        waiting.add_metric([], events)
        age.add_metric([], (self._clock() - oldest).total_seconds() if oldest else 0)
        for (consumer, given_up), number in failed.items():
            failures.add_metric([consumer, "given_up" if given_up else "retried"], number)
        yield from families


def _families() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("task_manager_jobs", "Jobs that are queued, running, or dead-lettered", labels=["state"]),
        GaugeMetricFamily("task_manager_events_waiting", "Events in the outbox, not yet published", labels=[]),
        GaugeMetricFamily("task_manager_events_oldest_seconds", "Age of the oldest unpublished event", labels=[]),
        GaugeMetricFamily("task_manager_events_failed", "Failed deliveries of events", labels=["consumer", "state"]),
    )
