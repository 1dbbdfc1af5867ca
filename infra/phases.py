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
    """

    min_replicas: int
    max_replicas: int
    threads: int
    compute: Compute


@dataclass(frozen=True)
class Jobs:
    """Background work in pods of its own.

    Args:
        min_workers, max_workers: the autoscaler's bounds.
        worker: for each worker.
        beat: for the one that says when what is due.
    """

    min_workers: int
    max_workers: int
    worker: Compute
    beat: Compute


@dataclass(frozen=True)
class PostgreSQL:
    """The database cluster.

    Args:
        instances: the primary and its standbys.
        poolers: PgBouncer pods in front of the primary; 0 for none.
        storage: volume of each instance, in GiB.
        compute: for each instance.
    """

    instances: int
    poolers: int
    storage: int
    compute: Compute


@dataclass(frozen=True)
class Cache:
    """The Valkey instance.

    Args:
        storage: volume of its append-only file, in GiB.
        compute: its share. `maxmemory` is derived from the memory limit.
    """

    storage: int
    compute: Compute


@dataclass(frozen=True)
class Phase:
    """A row of the table.

    Args:
        number: what `task-manager:phase` is set to.
        databases: kinds of database that the phase can run on; the first is the default.
        sqlite_storage: volume of the SQLite file, in GiB.
        cache: None where the API keeps its cache, limits and denylist in process and in the database.
        jobs: None where the API does them itself. The broker is the cache's server, in a database of its own.
    """

    number: int
    api: Api
    databases: tuple[DatabaseKind, ...]
    sqlite_storage: int
    postgresql: PostgreSQL
    cache: Cache | None
    jobs: Jobs | None
    edge: Edge


# CPU requests are small enough that phase 2, a rolling update's extra pods included, asks for 1.4 CPU: it fits a node
# of two CPUs beside the cluster's own add-ons. Limits, not requests, say what a pod may use when the node is idle.
PHASES = {
    1: Phase(
        number=1,
        api=Api(min_replicas=1, max_replicas=1, threads=8, compute=Compute(150, 1000, 384)),
        databases=(DatabaseKind.SQLITE, DatabaseKind.POSTGRESQL),
        sqlite_storage=5,
        postgresql=PostgreSQL(instances=1, poolers=0, storage=5, compute=Compute(150, 1000, 512)),
        cache=None,
        jobs=None,
        edge=Edge.NODE_PORT,
    ),
    2: Phase(
        number=2,
        api=Api(min_replicas=3, max_replicas=3, threads=8, compute=Compute(150, 1000, 384)),
        # Three pods cannot share one SQLite file: its volume is attached to one node.
        databases=(DatabaseKind.POSTGRESQL,),
        sqlite_storage=5,
        postgresql=PostgreSQL(instances=2, poolers=2, storage=10, compute=Compute(150, 1000, 512)),
        cache=Cache(storage=2, compute=Compute(50, 500, 192)),
        jobs=Jobs(min_workers=1, max_workers=2, worker=Compute(100, 1000, 384), beat=Compute(25, 500, 192)),
        edge=Edge.GATEWAY,
    ),
}

PLANNED = (3, 4)
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
