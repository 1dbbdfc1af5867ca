"""Volumes of a stack, from its settings."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.components.observability import alertmanager, grafana
from infra.config.phase_spec import DatabaseKind
from infra.config.settings import Settings
from infra.config.types import LogDestination


@dataclass(frozen=True)
class Volumes:
    """Volumes of one size.

    Args:
        part: of the system that writes to them.
        number: how many there are.
        size: of each, in GiB.
        setting: by which a stack chooses the size; empty where none does.
    """

    part: str
    number: int
    size: int
    setting: str = ""

    @property
    def total(self) -> int:
        """GiB of all of them."""
        return self.number * self.size


def volumes(settings: Settings) -> list[Volumes]:
    """Return the volumes that an update with these settings leaves.

    The program registers the same: `tests/infra/cost/test_volumes.py`.
    """
    return [each for each in (*_database(settings), *_servers(settings), *_monitoring(settings)) if each.total]


def database_volumes(settings: Settings) -> int:
    """Return how many GiB one instance of each cluster of the database has for its data."""
    if settings.database_kind is DatabaseKind.SQLITE:
        return settings.row.sqlite_storage
    return sum(settings.row.postgresql_of(each.service).storage for each in settings.running_clusters)


def _database(settings: Settings) -> Iterator[Volumes]:
    if settings.database_kind is DatabaseKind.SQLITE:
        yield Volumes("database", 1, settings.row.sqlite_storage, "database.storage")
        return
    left = [settings.left_cluster] if settings.left_cluster else []
    for cluster in (*settings.running_clusters, *left, *settings.hibernated):
        row = settings.row.postgresql_of(cluster.service)
        yield Volumes(cluster.resource, row.instances, row.storage, "database.storage")
        yield Volumes(f"log of {cluster.resource}", row.instances, row.wal_storage, "database.wal_storage")


def _servers(settings: Settings) -> Iterator[Volumes]:
    row = settings.row
    if row.cache:
        yield Volumes("cache", row.cache.servers, row.cache.storage, "cache.storage")
    if broker := settings.broker_row:
        yield Volumes("broker", 1, broker.storage, "broker.storage")
    if row.rabbitmq:
        yield Volumes("RabbitMQ", row.rabbitmq.nodes, row.rabbitmq.storage, "rabbitmq.storage")


def _monitoring(settings: Settings) -> Iterator[Volumes]:
    row = settings.row
    if row.monitoring and settings.own_monitoring:
        yield Volumes("Prometheus", 1, row.monitoring.storage, "monitoring.storage")
        yield Volumes("Alertmanager", 1, alertmanager.STORAGE)
        yield Volumes("Grafana", int(settings.monitoring.grafana), grafana.STORAGE)
    if row.logs.store and settings.logs.destination is LogDestination.OPERATOR:
        yield Volumes("Elasticsearch", row.logs.store.nodes, row.logs.store.storage)
