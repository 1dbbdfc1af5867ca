"""The depth of the queue, as a metric."""

from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.platform.errors import UnavailableError
from app.storage.work import SqlStorage

log = structlog.get_logger(__name__)


class QueueDepth(Collector):
    """Counts jobs by state when it is asked: the same in every process, so take the maximum, not the sum."""

    def __init__(self, storage: SqlStorage) -> None:
        self._storage = storage

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Say what there will be, without asking the database: it may not be there yet."""
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = self._family()
        try:
            with self._storage.read() as work:
                counts = work.jobs.counts()
        except UnavailableError:
            log.warning("no queue depth: the database is away")
            counts = {}
        for state, number in counts.items():
            family.add_metric([state], number)
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily("task_manager_jobs", "Jobs that wait, run, or have been given up", labels=["state"])
