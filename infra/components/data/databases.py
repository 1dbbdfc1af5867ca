"""Which databases a stack has: a file, or a cluster with its backups, and those that a restore has replaced."""

import pulumi

from infra import names
from infra.components import network
from infra.components.base import Target
from infra.components.data.backups import Backups, Bucket
from infra.components.data.database import Database, Plan
from infra.components.data.volume import Volume
from infra.components.namespace import Namespace
from infra.config.phase_spec import DatabaseKind
from infra.config.settings import Settings


def _plan(settings: Settings) -> Plan:
    row = settings.postgresql
    bucket = None
    if settings.backup_bucket:
        bucket = Bucket(
            settings.backup_bucket, settings.backup_endpoint, port=settings.backup_port(), days=row.backup_days
        )
    return Plan(
        row=row,
        durability=settings.database_durability,
        bucket=bucket,
        restored=settings.restored,
        operator_namespace=settings.operator_namespace,
        scraper=network.scraper(settings),
    )


def database(settings: Settings, target: Target, namespace: Namespace) -> list[pulumi.Resource]:
    """Register what the API keeps its tasks in, and return it."""
    if settings.database_kind is DatabaseKind.SQLITE:
        return [Volume("volume", target, storage=settings.sqlite_storage, after=[namespace])]
    plan = _plan(settings)
    parts: list[pulumi.Resource] = []
    if plan.bucket:
        folder = settings.backup_folder or pulumi.Output.concat(target.namespace, "/", namespace.id_in_cluster)
        parts.append(Backups("backups", target, bucket=plan.bucket, folder=folder, after=[namespace]))
    elif plan.row.backups_expected:
        pulumi.warn(f"{names.PROJECT}:backup_bucket is not set: nothing could bring a dropped table back")
    after = [namespace, *parts]
    return [*parts, Database("database", target, plan=plan, generation=settings.generation, after=after)]


def former_databases(settings: Settings, target: Target, after: list[pulumi.Resource]) -> None:
    """Put the clusters to sleep that a restore has replaced, once the API has left them."""
    plan = _plan(settings)
    for former in settings.asleep:
        Database(f"database-{former.number}", target, plan=plan, generation=former, asleep=True, after=after)
