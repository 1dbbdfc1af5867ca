"""Specification of a phase: the parts of the system, and the size and number of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from infra.config.quantity import quantity
from infra.names import ALL


class Size(StrEnum):
    """Column of the phase table."""

    STANDARD = "standard"
    SMALL = "small"


class DatabaseKind(StrEnum):
    """Database engine."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Edge(StrEnum):
    """Entry point of requests."""

    NODE_PORT = "node-port"
    GATEWAY = "gateway"


class Cdn(StrEnum):
    """CDN for public responses and static files."""

    NONE = "none"
    EDGE = "edge"
    CLOUDFLARE = "cloudflare"


MAX_CONNECTIONS = 100
"""Of a PostgreSQL server."""
POOLER_CLIENTS = 500
"""Connections that one PgBouncer takes."""


@dataclass(frozen=True)
class Compute:
    """Requests and limits of a container. Both are the same for memory: a busy neighbour never gets a pod evicted.

    Args:
        cpu_request: guaranteed share, in millicores.
        cpu_limit: most it may use, in millicores. Well above the request: a start or a burst of log-ins needs it.
        memory: request and limit, in MiB.
    """

    cpu_request: int
    cpu_limit: int
    memory: int

    def resized(self, cpu: int | None, memory: int | None) -> Self:
        """With another request and memory; None keeps what is there. The limit is never below the request."""
        request = self.cpu_request if cpu is None else cpu
        return type(self)(request, max(request, self.cpu_limit), self.memory if memory is None else memory)

    def resources(self) -> dict[str, dict[str, str]]:
        """The `resources` of a container, as Kubernetes writes them."""
        memory = quantity(self.memory, "Mi")
        return {
            "requests": {"cpu": quantity(self.cpu_request, "m"), "memory": memory},
            "limits": {"cpu": quantity(self.cpu_limit, "m"), "memory": memory},
        }


@dataclass(frozen=True)
class Api:
    """The API's pods.

    Args:
        min_replicas, max_replicas: the autoscaler's bounds; equal where a phase has a fixed number. The autoscaler owns
            the number in every phase, since handing it over later would drop the Deployment to one pod for a moment.
        threads: requests that one pod serves at a time.
        compute: for each pod.
        requests_per_second: target of the autoscaler for each pod; None where the number is fixed.
    """

    min_replicas: int
    max_replicas: int
    threads: int
    compute: Compute
    requests_per_second: int | None = None

    @property
    def connections(self) -> int:
        """Connections to the database of one pod: one a thread, and two for a health check.

        The check must not wait behind requests that are slow.
        """
        return self.threads + 2


@dataclass(frozen=True)
class Broker:
    """The Valkey server that carries Celery's messages.

    Args:
        storage: volume of its append-only file, in GiB.
        compute: its share.
    """

    storage: int
    compute: Compute


@dataclass(frozen=True)
class RabbitMQ:
    """The nodes of RabbitMQ, which carry events between services and the messages of Celery.

    Args:
        nodes: an odd number; most of them have to be there for a write.
        storage: volume of each, in GiB.
        compute: for each. The memory high watermark is derived from the memory limit.
    """

    nodes: int
    storage: int
    compute: Compute


@dataclass(frozen=True)
class Jobs:
    """Background work in pods of its own.

    Args:
        min_workers, max_workers: the autoscaler's bounds.
        waiting: jobs that may wait for each worker before there are more of them; None where CPU decides alone.
        worker: for each worker.
        beat: for the scheduler.
    """

    min_workers: int
    max_workers: int
    worker: Compute
    beat: Compute
    waiting: int | None = None


@dataclass(frozen=True)
class PostgreSQL:
    """The database cluster.

    Args:
        instances: the primary and its standbys.
        poolers: PgBouncer pods in front of the primary; 0 for none.
        replica_poolers: PgBouncer pods in front of the standbys; 0 keeps all reads on the primary.
        storage: volume of each instance, in GiB.
        compute: for each instance.
        backup_days: how far back the database can be brought, where the stack has a bucket.
        backups_expected: whether a stack without a bucket gets a warning, unless it waives them.
        wal_storage: volume of each instance's write-ahead log, in GiB; 0 keeps the log on the volume of the data.
    """

    instances: int
    poolers: int
    replica_poolers: int
    storage: int
    compute: Compute
    backup_days: int
    backups_expected: bool
    wal_storage: int = 0

    def client_connections(self, poolers: int) -> int:
        """Connections that so many poolers take while one of them is away; without any, what PostgreSQL itself takes.

        A few of PostgreSQL's are for migrations and the operator.
        """
        return POOLER_CLIENTS * max(1, poolers - 1) if poolers else MAX_CONNECTIONS - 10


@dataclass(frozen=True)
class Service:
    """The pods of a release of the chart: of one service of the API, or of all of them in one process.

    Args:
        api: its servers.
        jobs: None where the servers do the jobs.
        postgresql: of a cluster of its own, where it differs from those of other services.
    """

    api: Api
    jobs: Jobs | None
    postgresql: PostgreSQL | None = None

    @property
    def autoscaled(self) -> bool:
        """Whether an autoscaler chooses the number of some of its pods."""
        jobs = self.jobs
        return self.api.min_replicas < self.api.max_replicas or bool(jobs and jobs.min_workers < jobs.max_workers)


@dataclass(frozen=True)
class Cache:
    """The Redis Cluster of Valkey servers.

    Args:
        shards: servers that share the keys.
        followers: of each shard; one of them takes over when it is lost.
        storage: volume of each server's append-only file, in GiB.
        compute: for each server. `maxmemory` is derived from the memory limit.
    """

    shards: int
    followers: int
    storage: int
    compute: Compute

    @property
    def servers(self) -> int:
        return self.shards * (1 + self.followers)


@dataclass(frozen=True)
class Varnish:
    """The shared cache in the cluster.

    Args:
        replicas: each keeps what it has fetched itself.
        compute: for each. A third of the memory is for what is kept.
    """

    replicas: int
    compute: Compute


@dataclass(frozen=True)
class Mesh:
    """Istio's proxies.

    Args:
        gateways: pods of the gateway.
        gateway: for each of them.
        sidecar: for the proxy beside each server.
    """

    gateways: int
    gateway: Compute
    sidecar: Compute


@dataclass(frozen=True)
class Monitoring:
    """The servers that gather metrics, evaluate alerts and send them on.

    Args:
        retention: days that samples are kept.
        storage: Prometheus's volume, in GiB.
        prometheus, alertmanager, grafana: the share of each.
        exporter: that of the exporter beside the cache, of that beside the broker, and of that in each pod of the edge.
    """

    retention: int
    storage: int
    prometheus: Compute
    alertmanager: Compute
    grafana: Compute
    exporter: Compute


@dataclass(frozen=True)
class LogStore:
    """Elasticsearch and Kibana of the stack's own.

    Args:
        nodes: of Elasticsearch; one of three may be lost.
        storage: volume of each, in GiB.
        elasticsearch, kibana: the share of each. Half of Elasticsearch's memory is its heap.
    """

    nodes: int
    storage: int
    elasticsearch: Compute
    kibana: Compute


@dataclass(frozen=True)
class Logs:
    """Shipping of the pods' logs.

    Args:
        days: how long they are kept.
        buffer: of each node's disk, in MiB, for lines that Elasticsearch has not taken yet.
        shipper: for the one on each node.
        store: None where an Elasticsearch of its own would be larger than the rest of the stack.
    """

    days: int
    buffer: int
    shipper: Compute
    store: LogStore | None = None


@dataclass(frozen=True)
class Audience:
    """Who a phase is for, and what it may cost them.

    Args:
        users: the least and the most; None for no bound.
        budget: the least and the most that a month costs, in US dollars; None for no bound.
    """

    users: tuple[int, int | None]
    budget: tuple[int, int | None]


@dataclass(frozen=True)
class Phase:
    """A row of the table.

    Args:
        number: what `task-manager:phase` is set to.
        audience: who it is for.
        services: what each release of the chart runs, by the service's name; `ALL` alone for a single release.
        databases: kinds of database that the phase can run on; the first is the default.
        sqlite_storage: volume of the SQLite file, in GiB.
        postgresql: sizes of a cluster.
        own_clusters: whether each service has a cluster of its own, instead of a database in one that all share.
        cache: None where the API keeps its cache, limits and denylist in process and in the database.
        broker: the Valkey that carries Celery's messages; None where there are none, or RabbitMQ does.
        rabbitmq: None where events stay within a process.
        monitoring: None where whoever looks after the stack asks `/metrics` themselves.
        logs: sizes, in a stack that ships them.
        cdns: who may keep public answers before it; the first is the default.
        varnish: sizes, where that is Varnish; None where nothing in the cluster stands before the API.
        mesh: sizes, where gateway or mesh are Istio's; None where they cannot be.
    """

    number: int
    audience: Audience
    services: Mapping[str, Service]
    databases: tuple[DatabaseKind, ...]
    sqlite_storage: int
    postgresql: PostgreSQL
    own_clusters: bool
    cache: Cache | None
    broker: Broker | None
    rabbitmq: RabbitMQ | None
    monitoring: Monitoring | None
    logs: Logs
    edge: Edge
    cdns: tuple[Cdn, ...]
    varnish: Varnish | None
    mesh: Mesh | None = None

    @property
    def split(self) -> bool:
        """Whether each service has a release of its own."""
        return ALL not in self.services

    def postgresql_of(self, service: str) -> PostgreSQL:
        """Sizes of the cluster that a service's database is in; `ALL` for one that services share."""
        own = self.services[service].postgresql if self.own_clusters and service in self.services else None
        return own or self.postgresql

    @property
    def has_workers(self) -> bool:
        """Whether jobs run in pods of their own."""
        return any(service.jobs for service in self.services.values())
