"""Where the database's backups and write-ahead log go: a bucket, by the Barman Cloud plugin of CloudNativePG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from infra import names
from infra.components.base import Component, Target
from infra.components.network import Flow, Peer
from infra.config.identities import Identity, IdentityKind
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


_ANNOTATIONS: Final = {
    IdentityKind.EKS_IRSA: "eks.amazonaws.com/role-arn",
    IdentityKind.GKE: "iam.gke.io/gcp-service-account",
    IdentityKind.AKS: "azure.workload.identity/client-id",
}
_HTTPS: Final = 443
_BY_HTTPS: Final = (IdentityKind.EKS_IRSA, IdentityKind.AKS)
"""Kinds whose token is exchanged by HTTPS: at Amazon's STS, and at Microsoft Entra."""
_METADATA: Final = {
    # docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html, 2026-11
    IdentityKind.EKS_POD_IDENTITY: (Flow(Peer(blocks=("169.254.170.23/32", "fd00:ec2::23/128")), (80,)),),
    # cloud.google.com/kubernetes-engine/docs/how-to/network-policy, 2026-11: the second with Dataplane V2
    IdentityKind.GKE: (
        Flow(Peer(blocks=("169.254.169.252/32",)), (988,)),
        Flow(Peer(blocks=("169.254.169.254/32",)), (80,)),
    ),
}
"""Metadata servers on each node that give out credentials."""


@dataclass(frozen=True)
class Bucket:
    """A bucket of S3 or of Google, or a container of Azure.

    Args:
        name: of the bucket.
        endpoint: address of the interface; empty for Amazon's and Google's.
        port: where that listens.
        days: how far back the database can be brought.
        identity: whose role opens it; None where keys in a Secret do.
    """

    name: str
    endpoint: str
    port: int
    days: int
    identity: Identity | None = None


def _place(bucket: Bucket, folder: pulumi.Input[str]) -> dict[str, Any]:
    """Where the bucket is, and what opens it."""
    kind = bucket.identity.kind if bucket.identity else None
    match kind:
        case IdentityKind.GKE:
            scheme, credentials = "gs:/", {"googleCredentials": {"gkeEnvironment": True}}
        case IdentityKind.AKS:
            # `inheritFromAzureAD` asks for the node's identity; this finds the one that is put into the pod.
            scheme, credentials = bucket.endpoint, {"azureCredentials": {"useDefaultAzureCredentials": True}}
        case IdentityKind.EKS_IRSA | IdentityKind.EKS_POD_IDENTITY:
            scheme, credentials = "s3:/", {"s3Credentials": {"inheritFromIAMRole": True}}
        case _:
            keys = {field: {"name": names.BACKUPS, "key": key} for field, key in names.BACKUP_KEYS.items()}
            scheme, credentials = "s3:/", {"s3Credentials": keys}
    place: dict[str, Any] = {"destinationPath": pulumi.Output.concat(scheme, "/", bucket.name, "/", folder)}
    if bucket.endpoint and scheme == "s3:/":
        place["endpointURL"] = bucket.endpoint
    return {**place, **credentials}


def service_account(bucket: Bucket | None) -> dict[str, Any]:
    """The part of a `Cluster` by which its ServiceAccount, which has the cluster's name, takes on the role."""
    identity = bucket.identity if bucket else None
    annotation = _ANNOTATIONS.get(identity.kind) if identity else None
    if identity is None or annotation is None:
        return {}
    return {"serviceAccountTemplate": {"metadata": {"annotations": {annotation: identity.name}}}}


def pod_labels(bucket: Bucket | None) -> dict[str, str]:
    """Labels of the pods that use the bucket, by which Azure's web hook finds them."""
    azure = bucket and bucket.identity and bucket.identity.kind is IdentityKind.AKS
    return {"azure.workload.identity/use": "true"} if azure else {}


def flows(bucket: Bucket | None) -> tuple[Flow, ...]:
    """Calls of the bucket, and of who gives out the role's credentials."""
    if bucket is None:
        return ()
    identity = bucket.identity.kind if bucket.identity else None
    ports = {bucket.port, *([_HTTPS] if identity in _BY_HTTPS else [])}
    return (Flow(Peer(anywhere=True), tuple(sorted(ports))), *(_METADATA.get(identity, ()) if identity else ()))


def store_spec(bucket: Bucket, folder: pulumi.Input[str]) -> dict[str, Any]:
    """The `ObjectStore`, to which each cluster writes a folder of its own name."""
    configuration: dict[str, Any] = {
        **_place(bucket, folder),
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
