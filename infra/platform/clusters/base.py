"""What every kind of cluster gives to the add-ons and to the environments on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes


@dataclass(frozen=True)
class ConnectedCluster:
    """A cluster that answers, or will once it is made.

    Args:
        provider: by which objects are made in it.
        kubeconfig: for people and pipelines; None where they brought it.
        cloud: provided, digitalocean, aws or vps.
        region: empty where the cluster was provided.
        identity: what add-ons need to speak for themselves to the cloud: ARNs of roles, the cluster's and network's id.
        environment: settings that the cluster gives to environments on it, by their path (docs/settings.md).
        outputs: of the stack, beside those.
    """

    provider: kubernetes.Provider
    kubeconfig: pulumi.Output[str] | None
    cloud: str
    region: str = ""
    identity: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


class Cluster(pulumi.ComponentResource):
    """A cluster and all that it stands on.

    Args:
        kind: last part of its type token.
        protect: whether what holds state or data refuses to be destroyed.
        provider: the cloud's, which its children are made by.
    """

    def __init__(self, kind: str, *, protect: bool, provider: pulumi.ProviderResource | None = None) -> None:
        options = pulumi.ResourceOptions(providers=[provider] if provider else [])
        super().__init__(f"task-manager-platform:clusters:{kind}", "cluster", None, options)
        self._protect = protect

    def options(
        self,
        *after: pulumi.Resource,
        holds_data: bool = False,
        retain: bool = False,
        ignore_changes: tuple[str, ...] = (),
    ) -> pulumi.ResourceOptions:
        """Options of a child.

        Args:
            after: siblings that it needs, beside those whose outputs it takes.
            holds_data: whether it must not go, or be made anew, with an update.
            retain: whether it stays in the account when the program no longer names it.
            ignore_changes: inputs that later runs leave as they were created.
        """
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=list(after),
            protect=holds_data and self._protect,
            retain_on_delete=retain,
            ignore_changes=list(ignore_changes) or None,
        )
