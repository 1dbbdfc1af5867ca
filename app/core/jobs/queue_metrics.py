"""Metrics of queue depths: jobs and events."""

from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.core.clock import Clock
from app.core.database.unit_of_work import Storage, UnitOfWork
from app.core.errors import UnavailableError

log = structlog.get_logger(__name__)


class QueueDepth(Collector):
    """Counts when it is asked: the same in every process, so take the maximum, not the sum."""

    def __init__(self, storage: Storage[UnitOfWork], clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Say what there will be, without asking the database: it may not be there yet."""
        yield from _families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        jobs, waiting, age, failures = families = _families()
        try:
            with self._storage.read() as work:
                counts = work.jobs.counts()
                events, oldest = work.outbox.backlog()
                failed = work.inbox.failures()
        except UnavailableError:
            log.warning("no queue depth: the database is away")
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
        GaugeMetricFamily("task_manager_jobs", "Jobs that wait, run, or have been given up", labels=["state"]),
        GaugeMetricFamily("task_manager_events_waiting", "Events that the relay has still to carry on", labels=[]),
        GaugeMetricFamily("task_manager_events_oldest_seconds", "How long the oldest of them has waited", labels=[]),
        GaugeMetricFamily(
            "task_manager_events_failed", "Events that a consumer could not handle", labels=["consumer", "state"]
        ),
    )
