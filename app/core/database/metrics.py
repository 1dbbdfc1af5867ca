"""Metrics of connection pools and replicas, collected without opening a connection."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, QueuePool

from app.core.database.engine import Database


class DatabaseMetrics(Collector):
    """Prometheus collector for the primary's and the replicas' pools, replica lag and the circuit breaker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        pools = GaugeMetricFamily(
            "task_manager_database_connections", "Connections of this process", labels=["server", "state"]
        )
        sizes = GaugeMetricFamily(
            "task_manager_database_pool_size", "Connections that this process keeps at most", labels=["server"]
        )
        lags = GaugeMetricFamily(
            "task_manager_database_replica_lag_seconds", "Replication lag at the last read", labels=["server"]
        )
        rotation = GaugeMetricFamily(
            "task_manager_database_replica_in_rotation", "Whether reads are routed to it", labels=["server"]
        )
        circuits = GaugeMetricFamily(
            "task_manager_database_circuit_open", "Whether the circuit breaker is open", labels=["server"]
        )
        _add(pools, sizes, "primary", self._database.writer)
        if self._database.circuit is not None:
            circuits.add_metric(["primary"], float(self._database.circuit.open))
        for replica in self._database.replicas.all:
            _add(pools, sizes, replica.name, replica.engine)
            rotation.add_metric([replica.name], float(replica.in_rotation))
            if replica.lag is not None:
                lags.add_metric([replica.name], replica.lag)
        yield from (pools, sizes, lags, rotation, circuits)


def _add(pools: GaugeMetricFamily, sizes: GaugeMetricFamily, server: str, engine: Engine) -> None:
    pool = engine.pool
    if isinstance(pool, QueuePool):
        pools.add_metric([server, "in_use"], pool.checkedout())
        pools.add_metric([server, "idle"], pool.checkedin())
        sizes.add_metric([server], pool.size())
