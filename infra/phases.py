"""The phase table: everything that differs between phases, and nowhere else.

A row says how much of each part there is; the components say what a part is. Growing is `pulumi config set phase 2` and
`pulumi up`, so a row never renames anything (see `names.py`).
"""

from dataclasses import replace
from typing import Final

from infra.config.phase_spec import (
    Api,
    Audience,
    Broker,
    Cache,
    Cdn,
    Compute,
    DatabaseKind,
    Edge,
    Jobs,
    Logs,
    LogStore,
    Mesh,
    Monitoring,
    Phase,
    PostgreSQL,
    RabbitMQ,
    Service,
    Size,
    Varnish,
)
from infra.names import ALL

# Two, for the loss of one. What is kept is less than 2 MiB: the memory is for Varnish itself and for the compiler that
# makes a program of its configuration.
_VARNISH = Varnish(replicas=2, compute=Compute(25, 1000, 192))

_SHIPPER = Compute(25, 500, 192)

_WORKER, _BEAT = Compute(100, 1000, 384), Compute(25, 500, 192)

# Phases 1 and 2 have a fixed number of pods, on servers that are paid anyway: CPU requests are small there, and limits
# say what a pod may use when the node is idle. tests/infra/test_capacity.py holds each phase to its servers.
PHASES = {
    1: Phase(
        number=1,
        audience=Audience(users=(0, 1_000), budget=(10, 20)),
        services={
            ALL: Service(
                api=Api(min_replicas=1, max_replicas=1, threads=8, compute=Compute(150, 1000, 384)),
                jobs=None,
            )
        },
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
        own_clusters=False,
        cache=None,
        broker=None,
        rabbitmq=None,
        monitoring=None,
        logs=Logs(days=7, buffer=256, shipper=_SHIPPER),
        edge=Edge.NODE_PORT,
        cdns=(Cdn.NONE,),
        varnish=None,
    ),
    2: Phase(
        number=2,
        audience=Audience(users=(1_000, 10_000), budget=(100, 200)),
        services={
            ALL: Service(
                api=Api(min_replicas=3, max_replicas=3, threads=8, compute=Compute(150, 1000, 384)),
                jobs=Jobs(
                    min_workers=1,
                    max_workers=2,
                    worker=_WORKER,
                    beat=_BEAT,
                ),
            )
        },
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
            backups_expected=True,
        ),
        own_clusters=False,
        cache=Cache(shards=1, followers=0, storage=2, compute=Compute(50, 500, 192)),
        broker=Broker(storage=1, compute=Compute(25, 500, 96)),
        rabbitmq=None,
        # Three instances and two workers of at most 2,000 series each, and the database's: a third of phase 3's. The
        # volume is as large as there, so that growing does not wait for one.
        monitoring=Monitoring(
            retention=15,
            storage=10,
            prometheus=Compute(50, 1000, 512),
            alertmanager=Compute(10, 500, 96),
            grafana=Compute(25, 1000, 256),
            exporter=Compute(10, 200, 48),
        ),
        logs=Logs(days=14, buffer=512, shipper=_SHIPPER),
        edge=Edge.GATEWAY,
        cdns=(Cdn.NONE, Cdn.EDGE, Cdn.CLOUDFLARE),
        varnish=_VARNISH,
    ),
    3: Phase(
        number=3,
        audience=Audience(users=(10_000, 100_000), budget=(500, 1_000)),
        services={
            ALL: Service(
                # One processor answers some 490 requests a second of the dear kind, creating a task or listing what is
                # not kept (bench/results/results.md, d and f), on a machine at rest; beside busy neighbours 140 were
                # measured. Seven tenths of that leave room until the next pod is ready. 100 a second cost 100 / 490 =
                # 0.2 of a processor at rest, and 100 / 140 = 0.7 on nodes that are full: that is the request, so that a
                # cluster's autoscaler adds a node before pods are short of it.
                api=Api(
                    min_replicas=3,
                    max_replicas=12,
                    threads=8,
                    compute=Compute(700, 1000, 384),
                    requests_per_second=100,
                ),
                jobs=Jobs(
                    min_workers=1,
                    max_workers=4,
                    worker=_WORKER,
                    beat=_BEAT,
                    # A worker imports more than 20,000 rows a second (bench/results/results.md): twenty files of the
                    # usual thousands of rows, or as many mails, are done before another worker, half a minute later,
                    # could have taken one.
                    waiting=20,
                ),
            )
        },
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
        own_clusters=False,
        cache=Cache(shards=3, followers=1, storage=2, compute=Compute(50, 500, 192)),
        broker=Broker(storage=1, compute=Compute(25, 500, 96)),
        rabbitmq=None,
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


def _service(api: tuple[int, int], workers: tuple[int, int]) -> Service:
    """Return a service of phase 4, of pods as in phase 3, with least and most numbers of servers and workers."""
    return Service(
        api=replace(PHASES[3].services[ALL].api, min_replicas=api[0], max_replicas=api[1]),
        # One number tells of all services' waiting jobs, so CPU decides alone.
        jobs=Jobs(
            min_workers=workers[0],
            max_workers=workers[1],
            worker=_WORKER,
            beat=_BEAT,
        ),
    )


PHASES[4] = replace(
    PHASES[3],
    number=4,
    audience=Audience(users=(100_000, None), budget=(5_000, None)),
    # Tasks take most requests, and each import and export; a log-in is needed once in a month of sessions.
    services={
        "auth": _service((2, 6), (1, 2)),
        "tasks": _service((3, 30), (1, 8)),
        "notifications": _service((2, 6), (1, 4)),
        "analytics": _service((2, 6), (1, 2)),
    },
    own_clusters=True,
    broker=None,
    rabbitmq=RabbitMQ(nodes=3, storage=10, compute=Compute(200, 2000, 1024)),
    # A request costs 0.62 ms of CPU at the gateway and 0.41 ms in the sidecar (docs/adr/0053-*.md): 300 a second at
    # each gateway, and twice the 100 at each server that the autoscaler wants. A gateway uses 27 MiB, and 1 MiB more
    # for each body that it holds until it is whole; a sidecar uses 30 MiB.
    mesh=Mesh(gateways=2, gateway=Compute(200, 2000, 256), sidecar=Compute(100, 1000, 96)),
)


def _small(row: Phase) -> Phase:
    """Return the smallest numbers that still show each mechanism of a phase: two of what takes over for another."""
    number, postgresql, cache = min(row.number, 2), row.postgresql, row.cache
    services = {
        name: Service(
            api=replace(
                service.api,
                min_replicas=1 if row.split else number,
                max_replicas=min(service.api.max_replicas, 3),
                threads=4 if row.split else service.api.threads,
                compute=replace(service.api.compute, cpu_request=50, memory=256 if row.split else 384),
            ),
            jobs=service.jobs
            and replace(
                service.jobs,
                min_workers=1,
                max_workers=min(service.jobs.max_workers, 2),
                worker=replace(service.jobs.worker, cpu_request=25, memory=256 if row.split else 384),
                beat=replace(service.jobs.beat, cpu_request=10),
            ),
        )
        for name, service in row.services.items()
    }
    return replace(
        row,
        services=services,
        postgresql=replace(
            postgresql,
            instances=number,
            poolers=min(postgresql.poolers, 1),
            replica_poolers=min(postgresql.replica_poolers, 1),
            storage=5,
            compute=replace(postgresql.compute, cpu_request=100),
        ),
        own_clusters=False,
        cache=cache
        and replace(cache, followers=0, storage=1, compute=replace(cache.compute, cpu_request=25, memory=96)),
        rabbitmq=row.rabbitmq and replace(row.rabbitmq, storage=1, compute=Compute(50, 1000, 512)),
        varnish=row.varnish and replace(row.varnish, replicas=1),
        mesh=row.mesh and Mesh(gateways=2, gateway=Compute(50, 1000, 128), sidecar=Compute(25, 500, 96)),
    )


SMALL: Final = {number: _small(row) for number, row in PHASES.items() if number > 1} | {1: PHASES[1]}
"""Rows of `size: small`."""


def phase(number: int, size: Size = Size.STANDARD) -> Phase:
    """The row of a phase.

    Raises:
        ValueError: there is no such row; the message says what to do.
    """
    rows = SMALL if size is Size.SMALL else PHASES
    row = rows.get(number)
    if row is None:
        known = " or ".join(str(known) for known in PHASES)
        raise ValueError(f"there is no phase {number}: set {PHASE_KEY} to {known}")
    return row


PHASE_KEY = "task-manager:phase"
