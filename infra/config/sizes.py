"""Sizes of a stack: the phase's row with what the stack sets, and combinations that cannot work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from infra import phases
from infra.config.phase_spec import DatabaseKind, Phase, Service
from infra.config.types import Durability
from infra.names import PROJECT

if TYPE_CHECKING:
    from infra.config.settings import Settings

SURGE: Final = 0.25
"""Share of a Deployment's pods that a rollout adds: `maxSurge` of the chart's Deployments."""

_PARTS: Final = {"workers": "has_workers", "broker": "broker", "cache": "cache", "rabbitmq": "rabbitmq"}
"""Part of the phase's row that a section resizes, where a phase may do without it."""

_POSTGRESQL_ONLY: Final = ("instances", "cpu", "memory", "wal_storage", "poolers", "replica_poolers")


def resized(row: Phase, settings: Settings) -> Phase:
    """Return the row with the sizes that the stack sets."""
    database = settings.database
    return replace(
        row,
        services={name: _service(service, settings) for name, service in row.services.items()},
        sqlite_storage=database.storage or row.sqlite_storage,
        postgresql=replace(
            row.postgresql,
            **_given(
                instances=database.instances,
                poolers=database.poolers,
                replica_poolers=database.replica_poolers,
                storage=database.storage or None,
                wal_storage=database.wal_storage or None,
            ),
            compute=row.postgresql.compute.resized(database.cpu, database.memory),
        ),
        cache=row.cache
        and replace(
            row.cache,
            **_given(shards=settings.cache.shards, followers=settings.cache.followers, storage=settings.cache.storage),
            compute=row.cache.compute.resized(settings.cache.cpu, settings.cache.memory),
        ),
        broker=row.broker
        and replace(
            row.broker,
            **_given(storage=settings.broker.storage),
            compute=row.broker.compute.resized(settings.broker.cpu, settings.broker.memory),
        ),
        rabbitmq=row.rabbitmq
        and replace(
            row.rabbitmq,
            **_given(storage=settings.rabbitmq.storage),
            compute=row.rabbitmq.compute.resized(settings.rabbitmq.cpu, settings.rabbitmq.memory),
        ),
        monitoring=row.monitoring
        and replace(
            row.monitoring,
            **_given(retention=settings.monitoring.retention, storage=settings.monitoring.storage),
        ),
    )


def _service(row: Service, settings: Settings) -> Service:
    api, workers = settings.api, settings.workers
    return Service(
        api=replace(
            row.api,
            **_given(min_replicas=api.min_replicas, max_replicas=api.max_replicas, threads=api.threads),
            compute=row.api.compute.resized(api.cpu, api.memory),
        ),
        jobs=row.jobs
        and replace(
            row.jobs,
            **_given(min_workers=workers.min_replicas, max_workers=workers.max_replicas),
            worker=row.jobs.worker.resized(workers.cpu, workers.memory),
        ),
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def problems(settings: Settings) -> Iterator[str]:
    """Yield a sentence about each combination of sizes that cannot work."""
    row = settings.row
    for section, part in _PARTS.items():
        has = getattr(row, part) or (settings.former_release and getattr(settings.former.row, part))
        if not has and getattr(settings, section).model_fields_set:
            known = " or ".join(str(number) for number, each in phases.PHASES.items() if getattr(each, part))
            yield f"{PROJECT}:{section}: phase {row.number} has none: remove it, or set {phases.PHASE_KEY} to {known}"
    # The settings are those of every service, so one line tells of them all.
    yield from dict.fromkeys(line for service in row.services.values() for line in _numbers(service))
    if row.cache is None and any(service.api.max_replicas > 1 for service in row.services.values()):
        # Limits are counted, and responses cached, in the process.
        reason = "one volume" if settings.database_kind is DatabaseKind.SQLITE else "limits in the process"
        yield (
            f"{PROJECT}:api.max_replicas: phase {row.number} has {reason}, so one pod: remove it, or set"
            f" {phases.PHASE_KEY} to 2 or more"
        )
    if row.cache and row.cache.shards == 1 and row.cache.followers:
        yield (
            f"{PROJECT}:cache.followers: one shard has no others that could vote for its follower: set it to 0, or"
            f" {PROJECT}:cache.shards to 3 or more"
        )
    yield from _database(settings, row)


def _numbers(service: Service) -> Iterator[str]:
    yield from _replicas("api", service.api.min_replicas, service.api.max_replicas)
    if service.jobs:
        yield from _replicas("workers", service.jobs.min_workers, service.jobs.max_workers)


def _replicas(section: str, least: int, most: int) -> Iterator[str]:
    if least > most:
        yield (
            f"{PROJECT}:{section}.max_replicas: {most} is below {PROJECT}:{section}.min_replicas, which is {least}:"
            f" set it to {least} or more"
        )


def _database(settings: Settings, row: Phase) -> Iterator[str]:
    if settings.database_kind is DatabaseKind.SQLITE:
        for name in _POSTGRESQL_ONLY:
            if getattr(settings.database, name):
                yield (
                    f"{PROJECT}:database.{name}: SQLite has nothing for it: remove it, or set"
                    f" {PROJECT}:database.kind to postgresql"
                )
        return
    postgresql = row.postgresql
    promised = phases.phase(row.number, settings.size).postgresql.instances > 1
    if promised and postgresql.instances == 1 and settings.database.durability is Durability.REQUIRED:
        yield (
            f"{PROJECT}:database.instances: a write is confirmed by a standby, and 1 has none: set it to 2 or more, or"
            f" {PROJECT}:database.durability to preferred"
        )
    if postgresql.replica_poolers and postgresql.instances == 1:
        yield (
            f"{PROJECT}:database.replica_poolers: there is no standby to read from: set it to 0, or"
            f" {PROJECT}:database.instances to 2 or more"
        )
    wanted = connections(row)
    for name, poolers in (("poolers", postgresql.poolers), ("replica_poolers", postgresql.replica_poolers)):
        room = postgresql.client_connections(poolers)
        if wanted > room and (poolers or name == "poolers"):
            yield (
                f"{PROJECT}:database.{name}: {poolers} let in {room} connections, and pods of the API and workers may"
                f" open {wanted}: raise it, or lower {PROJECT}:api.max_replicas or {PROJECT}:api.threads"
            )


def connections(row: Phase) -> int:
    """Return how many connections the pods that use a cluster open at most, in the middle of a rollout."""
    of_services = map(_connections, row.services.values())
    return max(of_services) if row.own_clusters else sum(of_services)


def _connections(service: Service) -> int:
    pods = _with_surge(service.api.max_replicas)
    if service.jobs:
        pods += _with_surge(service.jobs.max_workers) + 1  # the scheduler
    return pods * service.api.connections


def _with_surge(replicas: int) -> int:
    return replicas + math.ceil(replicas * SURGE)
