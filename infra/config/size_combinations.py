"""Combinations of sizes that cannot work, each in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from infra import phases
from infra.config.phase_spec import DatabaseKind, Phase, PostgreSQL
from infra.config.sizes import connections
from infra.config.types import Durability
from infra.names import PROJECT

if TYPE_CHECKING:
    from infra.config.settings import Settings

_PARTS: Final = {"workers": "has_workers", "broker": "broker", "cache": "cache", "rabbitmq": "rabbitmq"}
"""Part of the phase's row that a section is about, where a phase may do without it."""

_POSTGRESQL_ONLY: Final = ("instances", "cpu", "memory", "wal_storage", "poolers", "replica_poolers")


def problems(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each: the key, what is wrong with it, and what to do."""
    row = settings.row
    for section, part in _PARTS.items():
        has = getattr(row, part) or (settings.former_release and getattr(settings.former.row, part))
        if not has and getattr(settings, section).model_fields_set:
            known = " or ".join(str(number) for number, each in phases.PHASES.items() if getattr(each, part))
            yield f"{PROJECT}:{section}: phase {row.number} has none: remove it, or set {phases.PHASE_KEY} to {known}"
    yield from _services(settings, row)
    # Services without settings of their own have the same numbers, and one line tells of them all.
    yield from dict.fromkeys(line for service in row.services for line in _numbers(settings, row, service))
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
    if settings.database_kind is DatabaseKind.SQLITE:
        yield from _sqlite(settings)
    else:
        yield from dict.fromkeys(line for each in _clusters(settings, row) for line in _cluster(settings, row, each))


def _services(settings: Settings, row: Phase) -> Iterator[str]:
    if settings.services and not row.split:
        known = " or ".join(str(number) for number, each in phases.PHASES.items() if each.split)
        yield (
            f"{PROJECT}:services: phase {row.number} has one release of all services: remove it, or set"
            f" {phases.PHASE_KEY} to {known}"
        )
        return
    known = ", ".join(row.services)
    for service, own in settings.services.items():
        key = f"{PROJECT}:services.{service}"
        if service not in row.services:
            close = difflib.get_close_matches(service, row.services, n=1)
            hint = f"did you mean {PROJECT}:services.{close[0]}?" if close else f"they are {known}"
            yield f"{key}: there is no such service ({hint})"
        elif own.database.model_fields_set and not row.own_clusters:
            yield (
                f"{key}.database: at this size all services share one cluster: set {PROJECT}:database in its place, or"
                f" {PROJECT}:size to standard"
            )


def _prefix(settings: Settings, service: str) -> str:
    """Return where the settings stand that tell a service from others: its own, if it has any."""
    return f"services.{service}." if service in settings.services else ""


def _numbers(settings: Settings, row: Phase, service: str) -> Iterator[str]:
    of_service = row.services[service]
    bounds = {"api": (of_service.api.min_replicas, of_service.api.max_replicas)}
    if of_service.jobs:
        bounds["workers"] = (of_service.jobs.min_workers, of_service.jobs.max_workers)
    for section, (least, most) in bounds.items():
        if least > most:
            prefix = _prefix(settings, service)
            set_for_it = prefix and "min_replicas" in getattr(settings.services[service], section).model_fields_set
            whose = prefix if set_for_it else ""
            yield (
                f"{PROJECT}:{prefix}{section}.max_replicas: {most} is below"
                f" {PROJECT}:{whose}{section}.min_replicas, which is {least}: set it to {least} or more"
            )


@dataclass(frozen=True)
class _Cluster:
    """A cluster of the database.

    Args:
        row: its sizes.
        wanted: connections that its clients may open.
        prefix: where its own settings stand.
        clients: where those of the service stand that opens most of them.
    """

    row: PostgreSQL
    wanted: int
    prefix: str
    clients: str


def _clusters(settings: Settings, row: Phase) -> list[_Cluster]:
    """Return the clusters whose sizes may differ; of those that are alike, the one with most connections."""
    wanted = {name: connections(service) for name, service in row.services.items()}
    busiest_first = sorted(wanted, key=lambda name: wanted[name], reverse=True)
    if not row.own_clusters:
        # The release that services grow out of is on the cluster that they share, until it is gone.
        former = settings.former.row.services.values() if settings.former_release else ()
        total = sum(wanted.values()) + sum(map(connections, former))
        return [_Cluster(row.postgresql, total, "", _prefix(settings, busiest_first[0]))]
    found: dict[str, _Cluster] = {}
    for name in busiest_first:
        prefix = _prefix(settings, name)
        found.setdefault(prefix, _Cluster(row.postgresql_of(name), wanted[name], prefix, prefix))
    return list(found.values())


def _cluster(settings: Settings, row: Phase, cluster: _Cluster) -> Iterator[str]:
    postgresql, database = cluster.row, f"{PROJECT}:{cluster.prefix}database"
    promised = phases.phase(row.number, settings.size).postgresql.instances > 1
    if promised and postgresql.instances == 1 and settings.database.durability is Durability.REQUIRED:
        yield (
            f"{database}.instances: a write is confirmed by a standby, and 1 has none: set it to 2 or more, or"
            f" {PROJECT}:database.durability to preferred"
        )
    if postgresql.replica_poolers and postgresql.instances == 1:
        yield (
            f"{database}.replica_poolers: there is no standby to read from: set it to 0, or"
            f" {database}.instances to 2 or more"
        )
    api = f"{PROJECT}:{cluster.clients}api"
    for name, poolers in (("poolers", postgresql.poolers), ("replica_poolers", postgresql.replica_poolers)):
        room = postgresql.client_connections(poolers)
        if cluster.wanted > room and (poolers or name == "poolers"):
            yield (
                f"{database}.{name}: {poolers} let in {room} connections, and pods of the API and workers may open"
                f" {cluster.wanted}: raise it, or lower {api}.max_replicas or {api}.threads"
            )


def _sqlite(settings: Settings) -> Iterator[str]:
    for name in _POSTGRESQL_ONLY:
        if getattr(settings.database, name):
            yield (
                f"{PROJECT}:database.{name}: SQLite has nothing for it: remove it, or set"
                f" {PROJECT}:database.kind to postgresql"
            )
