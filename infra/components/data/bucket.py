"""Bucket of the backups: where it is, and what opens it: keys in a Secret, or a workload identity."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi

from infra import names
from infra.components.network import Flow, Peer
from infra.config.identities import Identity, IdentityKind

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


def location(bucket: Bucket, folder: pulumi.Input[str]) -> dict[str, Any]:
    """Where the bucket is, and what opens it."""
    kind = bucket.identity.kind if bucket.identity else None
    scheme: str
    credentials: dict[str, Any]
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
