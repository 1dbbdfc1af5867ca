"""Where the database's backups and write-ahead log go: a bucket, by the Barman Cloud plugin of CloudNativePG."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from infra import names
from infra.components.base import Component, Target
from infra.components.data.bucket import Bucket, location
from infra.config.phase_spec import Compute
from infra.config.restores import Restore, archive_of
from infra.names import ClusterGeneration

PLUGIN: Final = "barman-cloud.cloudnative-pg.io"
_EVERY_NIGHT: Final = "0 0 2 * * *"  # the operator's schedules begin with seconds; the hour is UTC's
_COMPUTE: Final = Compute(cpu_request=25, cpu_limit=1000, memory=320)
"""Of the plugin's container in each instance: a backup by two workers takes 116 MiB, archiving a segment meanwhile 98
(measured with Barman 3.4), the plugin itself some dozens."""

_S3_RETRIES: Final = [{"name": "AWS_MAX_ATTEMPTS", "value": "3"}]
"""As in the SDK's `standard` mode; its old one tries five times, in some ten seconds. A failover asks the archive a
dozen times, and a bucket that is away is no reason to wait for each answer so long."""


def store_spec(bucket: Bucket, folder: pulumi.Input[str]) -> dict[str, Any]:
    """The `ObjectStore`, to which each cluster writes a folder of its own name."""
    configuration: dict[str, Any] = {
        **location(bucket, folder),
        # Segments of 16 MiB that are mostly empty, when the time-out rather than a full one ends them. Barman's gzip is
        # level 9 and takes 50 times the processor, of a primary that is written to or has just become one.
        # The last segment of an ended timeline, stored as `.partial`, is not fetched: PostgreSQL never asks for it
        # (`CleanupAfterArchiveRecovery` in its xlog.c), since the next timeline begins with a copy.
        "wal": {"compression": "zstd", "restoreAdditionalCommandArgs": ["--no-partial"]},
        "data": {"compression": "gzip", "jobs": 2},
    }
    return {
        "configuration": configuration,
        "retentionPolicy": f"{bucket.days}d",
        "instanceSidecarConfiguration": {"resources": _COMPUTE.resources(), "env": _S3_RETRIES},
    }


def _plugin(generation: ClusterGeneration, restored: Sequence[Restore]) -> dict[str, Any]:
    parameters = {"barmanObjectName": names.BACKUPS, "serverName": archive_of(generation, restored)}
    return {"name": PLUGIN, "parameters": parameters}


def archiving(generation: ClusterGeneration, restored: Sequence[Restore]) -> dict[str, Any]:
    """WAL archiving: the part of a `Cluster` that archives its log and allows backups."""
    return {"plugins": [{**_plugin(generation, restored), "isWALArchiver": True}]}


def recovery(generation: ClusterGeneration, restored: Sequence[Restore]) -> dict[str, Any]:
    """Point-in-time recovery: the part of a `Cluster` that bootstraps it out of another one's backups."""
    restore = restored[generation.number - 2]
    return {
        "bootstrap": {
            "recovery": {
                "source": "backups",
                "database": names.DATABASE_NAME,
                "owner": names.DATABASE_NAME,
                "recoveryTarget": {"targetTime": restore.moment.isoformat()},
            }
        },
        "externalClusters": [{"name": "backups", "plugin": _plugin(ClusterGeneration(restore.source), restored)}],
    }


def schedule_spec(generation: ClusterGeneration) -> dict[str, Any]:
    """The `ScheduledBackup`: at once, then every night. Without the first one there is nothing to restore."""
    return {
        "cluster": {"name": generation.cluster},
        "schedule": _EVERY_NIGHT,
        "immediate": True,
        "method": "plugin",
        "pluginConfiguration": {"name": PLUGIN},
        "backupOwnerReference": "cluster",
    }


class Backups(Component):
    """The object store that all clusters of the database share, hibernated ones included.

    Args:
        folder: in the bucket.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        bucket: Bucket,
        folder: pulumi.Input[str],
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        CustomResource(
            f"{name}-store",
            api_version="barmancloud.cnpg.io/v1",
            kind="ObjectStore",
            metadata=self.metadata(names.BACKUPS),
            spec=store_spec(bucket, folder),
            opts=self.options(),
        )
        self.register_outputs({"store": names.BACKUPS})
