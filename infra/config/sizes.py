"""Sizes of a stack: the phase's row with what the stack sets for all services, and for one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from infra.config.phase_spec import Phase, PostgreSQL, Service
from infra.config.service_sections import ServiceSettings

if TYPE_CHECKING:
    from infra.config.database_sections import DatabaseSizes
    from infra.config.sections import Section
    from infra.config.settings import Settings

SURGE: Final = 0.25
"""Share of a Deployment's pods that a rollout adds: `maxSurge` of the chart's Deployments."""

_Section = TypeVar("_Section", bound="Section")


def resized(row: Phase, settings: Settings) -> Phase:
    """Return the row with the sizes that the stack sets."""
    return replace(
        row,
        services={name: _service(name, row, settings) for name in row.services},
        sqlite_storage=settings.database.storage or row.sqlite_storage,
        postgresql=_postgresql(row.postgresql, settings.database),
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


def _service(name: str, row: Phase, settings: Settings) -> Service:
    of_phase, own = row.services[name], settings.services.get(name, ServiceSettings())
    api, workers = _before(settings.api, own.api), _before(settings.workers, own.workers)
    return Service(
        api=replace(
            of_phase.api,
            **_given(min_replicas=api.min_replicas, max_replicas=api.max_replicas, threads=api.threads),
            compute=of_phase.api.compute.resized(api.cpu, api.memory),
        ),
        jobs=of_phase.jobs
        and replace(
            of_phase.jobs,
            **_given(min_workers=workers.min_replicas, max_workers=workers.max_replicas),
            worker=of_phase.jobs.worker.resized(workers.cpu, workers.memory),
        ),
        postgresql=_postgresql(row.postgresql, _before(settings.database, own.database))
        if own.database.model_fields_set
        else None,
    )


def _before(of_all: _Section, own: Section) -> _Section:
    """Return the section of all services with what one of them sets in its place."""
    return of_all.model_copy(update=own.model_dump(exclude_unset=True))


def _postgresql(row: PostgreSQL, database: DatabaseSizes) -> PostgreSQL:
    return replace(
        row,
        **_given(
            instances=database.instances,
            poolers=database.poolers,
            replica_poolers=database.replica_poolers,
            storage=database.storage or None,
            wal_storage=database.wal_storage or None,
        ),
        compute=row.compute.resized(database.cpu, database.memory),
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def connections(service: Service) -> int:
    """Return how many connections to the database the pods of a service open at most, in the middle of a rollout."""
    pods = _with_surge(service.api.max_replicas)
    if service.jobs:
        pods += _with_surge(service.jobs.max_workers) + 1  # the scheduler
    return pods * service.api.connections


def _with_surge(replicas: int) -> int:
    return replicas + math.ceil(replicas * SURGE)
