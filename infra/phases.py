"""The phase table: everything that differs between phases, and nowhere else.

A row says how much of each part there is; the components say what a part is. Growing is `pulumi config set phase 2` and
`pulumi up`, so a row never renames anything (see `names.py`).
"""

from dataclasses import dataclass
from enum import StrEnum


class DatabaseKind(StrEnum):
    """Where tasks are kept."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Edge(StrEnum):
    """How requests come in."""

    NODE_PORT = "node-port"
    GATEWAY = "gateway"


class Cdn(StrEnum):
    """Who keeps public answers and static files on their way to users."""

    NONE = "none"
    EDGE = "edge"
    CLOUDFLARE = "cloudflare"


@dataclass(frozen=True)
class Compute:
    """What a container may use. Memory is requested and limited alike: a busy neighbour never gets a pod evicted.

    Args:
        cpu_request: guaranteed share, in millicores.
        cpu_limit: most it may use, in millicores. Well above the request: a start or a burst of log-ins needs it.
        memory: request and limit, in MiB.
    """

    cpu_request: int
    cpu_limit: int
    memory: int

    def resources(self) -> dict[str, dict[str, str]]:
        """The `resources` of a container, as Kubernetes writes them."""
        memory = f"{self.memory}Mi"
        return {
            "requests": {"cpu": f"{self.cpu_request}m", "memory": memory},
            "limits": {"cpu": f"{self.cpu_limit}m", "memory": memory},
        }


@dataclass(frozen=True)
class Api:
    """The API's pods.

    Args:
        min_replicas, max_replicas: the autoscaler's bounds; equal where a phase has a fixed number. The autoscaler owns
            the number in every phase, since handing it over later would drop the Deployment to one pod for a moment.
        threads: requests that one pod serves at a time.
        compute: for each pod.
        requests_per_second: what a pod shall answer before there are more of them; None where the number is fixed.
    """

    min_replicas: int
    max_replicas: int
    threads: int
    compute: Compute
    requests_per_second: int | None = None


@dataclass(frozen=True)
class Broker:
    """The Valkey server that tells workers of jobs.

    Args:
        storage: volume of its append-only file, in GiB.
        compute: its share.
    """

    storage: int
    compute: Compute


@dataclass(frozen=True)
class Jobs:
    """Background work in pods of its own.

    Args:
        broker: who tells them of jobs.
        min_workers, max_workers: the autoscaler's bounds.
        waiting: jobs that may wait for each worker before there are more of them; None where CPU decides alone.
        worker: for each worker.
        beat: for the one that says when what is due.
    """

    broker: Broker
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
        backups_expected: whether a stack without a bucket is told that it lacks one.
    """

    instances: int
    poolers: int
    replica_poolers: int
    storage: int
    compute: Compute
    backup_days: int
    backups_expected: bool


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
    """What becomes of the lines that pods write, in a stack that ships them.

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
class Phase:
    """A row of the table.

    Args:
        number: what `task-manager:phase` is set to.
        databases: kinds of database that the phase can run on; the first is the default.
        sqlite_storage: volume of the SQLite file, in GiB.
        cache: None where the API keeps its cache, limits and denylist in process and in the database.
        jobs: None where the API does them itself.
        monitoring: None where whoever looks after the stack asks `/metrics` themselves.
        logs: sizes, in a stack that ships them.
        cdns: who may keep public answers before it; the first is the default.
        varnish: sizes, where that is Varnish; None where nothing in the cluster stands before the API.
    """

    number: int
    api: Api
    databases: tuple[DatabaseKind, ...]
    sqlite_storage: int
    postgresql: PostgreSQL
    cache: Cache | None
    jobs: Jobs | None
    monitoring: Monitoring | None
    logs: Logs
    edge: Edge
    cdns: tuple[Cdn, ...]
    varnish: Varnish | None


# Two, for the loss of one. What is kept is less than 2 MiB: the memory is for Varnish itself and for the compiler that
# makes a program of its configuration.
_VARNISH = Varnish(replicas=2, compute=Compute(25, 1000, 192))

_SHIPPER = Compute(25, 500, 192)

# CPU requests are small enough that phase 2, a rolling update's extra pods included, asks for 1.4 CPU: it fits a node
# of two CPUs beside the cluster's own add-ons; phase 3 fits two such nodes. Limits, not requests, say what a pod may
# use when the node is idle.
PHASES = {
    1: Phase(
        number=1,
        api=Api(min_replicas=1, max_replicas=1, threads=8, compute=Compute(150, 1000, 384)),
        databases=(DatabaseKind.SQLITE, DatabaseKind.POSTGRESQL),
        sqlite_storage=5,
        postgresql=PostgreSQL(
            instances=1,
            poolers=0,
            replica_poolers=0,
            storage=5,
            compute=Compute(150, 1000, 512),
            backup_days=7,
            backups_expected=False,
        ),
        cache=None,
        jobs=None,
        monitoring=None,
        logs=Logs(days=7, buffer=256, shipper=_SHIPPER),
        edge=Edge.NODE_PORT,
        cdns=(Cdn.NONE,),
        varnish=None,
    ),
    2: Phase(
        number=2,
        api=Api(min_replicas=3, max_replicas=3, threads=8, compute=Compute(150, 1000, 384)),
        # Three pods cannot share one SQLite file: its volume is attached to one node.
        databases=(DatabaseKind.POSTGRESQL,),
        sqlite_storage=5,
        postgresql=PostgreSQL(
            instances=2,
            poolers=2,
            replica_poolers=0,
            storage=10,
            compute=Compute(150, 1000, 512),
            backup_days=14,
            backups_expected=False,
        ),
        cache=Cache(shards=1, followers=0, storage=2, compute=Compute(50, 500, 192)),
        jobs=Jobs(
            broker=Broker(storage=1, compute=Compute(25, 500, 96)),
            min_workers=1,
            max_workers=2,
            worker=Compute(100, 1000, 384),
            beat=Compute(25, 500, 192),
        ),
        monitoring=None,
        logs=Logs(days=14, buffer=512, shipper=_SHIPPER),
        edge=Edge.GATEWAY,
        cdns=(Cdn.NONE, Cdn.EDGE, Cdn.CLOUDFLARE),
        varnish=_VARNISH,
    ),
    3: Phase(
        number=3,
        # One processor answers 460 requests a second of the dear kind, creating a task or listing what is not kept
        # (bench/results/results.md, d and f), on a machine at rest; beside busy neighbours 140 were measured. Seven
        # tenths of that leave room until the next pod is ready.
        api=Api(min_replicas=3, max_replicas=12, threads=8, compute=Compute(150, 1000, 384), requests_per_second=100),
        databases=(DatabaseKind.POSTGRESQL,),
        sqlite_storage=5,
        postgresql=PostgreSQL(
            instances=4,
            poolers=2,
            replica_poolers=2,
            storage=10,
            compute=Compute(150, 1000, 512),
            backup_days=30,
            backups_expected=True,
        ),
        cache=Cache(shards=3, followers=1, storage=2, compute=Compute(50, 500, 192)),
        jobs=Jobs(
            broker=Broker(storage=1, compute=Compute(25, 500, 96)),
            min_workers=1,
            max_workers=4,
            worker=Compute(100, 1000, 384),
            beat=Compute(25, 500, 192),
            # A worker imports more than 20,000 rows a second (bench/results/results.md): twenty files of the usual
            # thousands of rows, or as many mails, are done before another worker, half a minute later, could have
            # taken one.
            waiting=20,
        ),
        # Twelve instances of at most 2,000 series each, and the database's: about 30,000. A sample of each every 10 s,
        # at 1 to 2 bytes (Prometheus's documentation, Storage), are half a gigabyte a day at most.
        monitoring=Monitoring(
            retention=15,
            storage=10,
            prometheus=Compute(100, 1000, 768),
            alertmanager=Compute(25, 500, 96),
            grafana=Compute(50, 1000, 256),
            exporter=Compute(10, 200, 48),
        ),
        # Twenty lines a second on the average day are 50 million in thirty days. Half a kilobyte each, kept twice, is
        # half of what the three volumes hold. Neither is measured.
        logs=Logs(
            days=30,
            buffer=1024,
            shipper=_SHIPPER,
            store=LogStore(nodes=3, storage=30, elasticsearch=Compute(100, 1000, 2048), kibana=Compute(50, 1000, 1024)),
        ),
        edge=Edge.GATEWAY,
        cdns=(Cdn.EDGE, Cdn.NONE, Cdn.CLOUDFLARE),
        varnish=_VARNISH,
    ),
}

PLANNED = (4,)
"""Phases of the design that are not rows yet: asking for one is answered apart from asking for nonsense."""


def phase(number: int) -> Phase:
    """The row of a phase.

    Raises:
        ValueError: there is no such row; the message says what to do.
    """
    row = PHASES.get(number)
    if row is None:
        known = " or ".join(str(known) for known in PHASES)
        problem = f"phase {number} is not built yet" if number in PLANNED else f"there is no phase {number}"
        raise ValueError(f"{problem}: set {PHASE_KEY} to {known}")
    return row


PHASE_KEY = "task-manager:phase"
