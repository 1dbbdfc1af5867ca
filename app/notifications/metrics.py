"""Metrics of deliveries by channel and outcome."""

from collections.abc import Iterator
from datetime import timedelta

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.core.clock import Clock
from app.core.database.unit_of_work import Storage
from app.core.errors import UnavailableError
from app.notifications.model import Channel, DeliveryState
from app.notifications.unit_of_work import NotificationUnitOfWork

WINDOW = timedelta(hours=1)

log = structlog.get_logger(__name__)


class DeliveryMetrics(Collector):
    """Prometheus collector that counts the deliveries of the last hour in the database at each scrape.

    Workers, which deliver, are not scraped. Every process reports the same values: aggregate by maximum, not by sum.
    """

    def __init__(self, storage: Storage[NotificationUnitOfWork], clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metric family without a query: the database may not be reachable yet."""
        yield _family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = _family()
        try:
            with self._storage.read() as work:
                counts = work.deliveries.counts(self._clock() - WINDOW)
        except UnavailableError:
            log.warning("deliveries unknown: database unavailable")
            yield family
            return
        for channel in (Channel.EMAIL, Channel.SMS):
            for state in DeliveryState:
                family.add_metric([channel, state], counts.get((channel, state), 0))
        yield family


def _family() -> GaugeMetricFamily:
    words = "Deliveries of the last hour; waiting: to be retried"
    return GaugeMetricFamily("task_manager_deliveries", words, labels=["channel", "state"])
