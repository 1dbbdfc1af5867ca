"""The connection to a cluster, whoever made it."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

Cloud = Literal["provided", "digitalocean", "aws", "vps"]


@dataclass(frozen=True)
class ConnectedCluster:
    """A cluster that add-ons are installed in.

    Args:
        provider: by which objects are made.
        kubeconfig: where this stack made the cluster; None for one that is provided.
        cloud: who runs it.
        region: where.
        identity: what workloads need of the cloud, such as the roles of service accounts.
        context: of the kubeconfig of a provided cluster; empty for the current one.
    """

    provider: kubernetes.Provider
    kubeconfig: pulumi.Output[str] | None
    cloud: Cloud
    region: str = ""
    identity: dict[str, Any] = field(default_factory=dict)
    context: str = ""
