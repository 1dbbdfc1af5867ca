"""A namespace of the stack: what runs in it is bounded, and talks to nobody unless a policy says so."""

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from infra.components import network
from infra.components.base import Component, Target


class Namespace(Component):
    """The namespace with its standing rules.

    There is no ResourceQuota on purpose: one that is tight enough to matter would refuse the extra pod of a rolling
    update or of a database failover, at the very moment it is needed. The autoscaler's bounds hold the cost down.

    `id_in_cluster` is another one for each namespace that was ever made, under whatever name.

    Args:
        pod_security: the standard that its pods have to fit.
        keeps_data: whether volumes are in it.
        labels: more of them, by which others know it.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        pod_security: str = "restricted",
        keeps_data: bool = True,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, target)
        self.namespace = core.Namespace(
            name,
            metadata=meta.ObjectMetaArgs(
                name=target.namespace,
                labels={
                    **target.labels(name),
                    **(labels or {}),
                    **{f"pod-security.kubernetes.io/{mode}": pod_security for mode in ("enforce", "audit", "warn")},
                },
            ),
            # Deleting a namespace deletes the volumes in it, so it is protected as they are. One that is there already,
            # since somebody has brought Secrets for the first pods, becomes the stack's.
            opts=pulumi.ResourceOptions.merge(
                self.options(protect=keeps_data), pulumi.ResourceOptions(provider=target.adopting)
            ),
        )
        networking.NetworkPolicy(
            f"{name}-default-deny",
            metadata=self.metadata("default-deny"),
            spec=network.spec({}),
            opts=self.options(self.namespace),
        )
        networking.NetworkPolicy(
            f"{name}-dns",
            metadata=self.metadata("dns"),
            spec=network.spec({}, egress=target.dns),
            opts=self.options(self.namespace),
        )
        core.LimitRange(
            f"{name}-limits",
            metadata=self.metadata("defaults"),
            # For containers of others, such as an operator's jobs or a debugging pod: without limits they could take
            # the whole node.
            spec=core.LimitRangeSpecArgs(
                limits=[
                    core.LimitRangeItemArgs(
                        type="Container",
                        default_request={"cpu": "50m", "memory": "128Mi"},
                        default={"cpu": "500m", "memory": "256Mi"},
                    )
                ]
            ),
            opts=self.options(self.namespace),
        )
        self.id_in_cluster = self.namespace.metadata.uid
        self.register_outputs({"namespace": target.namespace})
