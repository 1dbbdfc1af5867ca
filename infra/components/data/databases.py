"""Databases of a stack: a SQLite volume, or a PostgreSQL cluster with its backups and the clusters it replaced."""

from collections.abc import Sequence

import pulumi

from infra import names
from infra.components import network
from infra.components.base import Target
from infra.components.data.backups import Backups
from infra.components.data.bucket import Bucket
from infra.components.data.database import Database, Plan
from infra.components.data.volume import Volume
from infra.components.namespace import Namespace
from infra.config.identities import parse_identity
from infra.config.phase_spec import DatabaseKind
from infra.config.settings import Settings


def _plan(settings: Settings, service: str = names.ALL) -> Plan:
    row = settings.row.postgresql_of(service)
    bucket = None
    if settings.backups.bucket:
        bucket = Bucket(
            settings.backups.bucket,
            settings.backups.endpoint,
            port=settings.backup_port(),
            days=row.backup_days,
            identity=parse_identity(settings.backups.identity),
        )
    return Plan(
        row=row,
        durability=settings.database.durability,
        bucket=bucket,
        restored=settings.restored,
        services=tuple(settings.row.services) if settings.row.split and not settings.row.own_clusters else (),
        former=settings.former.generation if settings.growth else None,
        growth=settings.growth,
        operator_namespace=settings.database.operator_namespace,
        scraper=network.scraper(settings),
    )


def database(
    settings: Settings, target: Target, namespace: Namespace, secrets: Sequence[pulumi.Resource]
) -> list[pulumi.Resource]:
    """Register what the API keeps its tasks in, and return it.

    Args:
        secrets: what makes the passwords of the services' roles.
    """
    if settings.database_kind is DatabaseKind.SQLITE:
        return [Volume("volume", target, storage=settings.row.sqlite_storage, after=[namespace])]
    plan = _plan(settings)
    parts: list[pulumi.Resource] = []
    if plan.bucket:
        folder = settings.backups.folder or pulumi.Output.concat(target.namespace, "/", namespace.id_in_cluster)
        parts.append(Backups("backups", target, bucket=plan.bucket, folder=folder, after=[namespace]))
    elif plan.row.backups_expected and not settings.backups.waived:
        pulumi.warn(
            f"{names.PROJECT}:backups.bucket is not set, so nothing could bring a dropped table back: set it, or"
            f" {names.PROJECT}:backups.waived to true to go without backups"
        )
    after = [namespace, *parts, *(secrets if plan.services or plan.growth else ())]
    return [
        *parts,
        *(
            Database(each.resource, target, plan=_plan(settings, each.service), generation=each, after=after)
            for each in settings.running_clusters
        ),
    ]


def retired_clusters(settings: Settings, target: Target, after: list[pulumi.Resource]) -> None:
    """Register the clusters that the API has left, hibernated: those that a restore or a growth has replaced."""
    plan = _plan(settings)
    if left := settings.left_cluster:
        Database(left.resource, target, plan=plan, generation=left, hibernated=True, after=after)
    for retired in settings.hibernated:
        Database(f"database-{retired.number}", target, plan=plan, generation=retired, hibernated=True, after=after)
