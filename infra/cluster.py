"""Kubernetes providers of a stack, bound to the identity of its cluster."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core import v1 as core


@dataclass(frozen=True)
class Cluster:
    """The connection to a cluster.

    Args:
        provider: by which objects are made.
        adopting: by which those are made that may be there already, and are taken over then.
        uid: that of the namespace `kube-system`, which lives as long as its cluster and is found in no other.
    """

    provider: kubernetes.Provider
    adopting: kubernetes.Provider
    uid: pulumi.Output[str]


def connect(context: str | None) -> Cluster:
    """Ask the cluster of a context who it is, and keep the answer in the stack's state.

    With the kubeconfig of another cluster, a refresh would find nothing and forget everything, protected data included.
    So the provider refuses a cluster of another uid, where it looks (`local/plugins`), and `make` looks before.

    The path of the kubeconfig is no input: it differs between machines, and the official provider refuses to compare
    its inputs with those of the last update once a path among them is gone. It finds $KUBECONFIG by itself.

    Args:
        context: of the kubeconfig; None for its current one.
    """
    asking = kubernetes.Provider("cluster-identity", context=context, kubeconfig=_ambient())
    system = core.Namespace.get("kube-system", "kube-system", opts=pulumi.ResourceOptions(provider=asking))
    uid = system.metadata.uid
    provider = kubernetes.Provider("cluster", context=context, cluster_identifier=uid, kubeconfig=_ambient())
    return Cluster(
        provider=provider,
        adopting=kubernetes.Provider(
            "cluster-adopting",
            context=context,
            cluster_identifier=uid,
            kubeconfig=_ambient(),
            upsert_existing_objects=True,
        ),
        # Known once the provider has been accepted: an update that is refused must not change the stack's outputs.
        uid=pulumi.Output.all(provider.urn, uid).apply(lambda known: str(known[1])),
    )


def _ambient() -> pulumi.Output[str | None]:
    """An input that is left out: for a plain `None` the SDK puts $KUBECONFIG."""
    return pulumi.Output.from_input(None)
