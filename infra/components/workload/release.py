"""The chart, installed as a Helm release a service, which goes back by itself when it does not become ready."""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_kubernetes.helm import v3 as helm
from pulumi_kubernetes.networking import v1 as networking

from infra import names
from infra.components import network, pods
from infra.components.base import Component, Target
from infra.components.network import Flow, Peer
from infra.components.workload.chart import CHART, digest


class Workload(Component):
    """The release. Installed after everything that it stands on, since its migration talks to the database.

    Args:
        service: what it runs: a service, or `ALL`.
        values: the chart's.
        timeout: seconds to become ready.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        service: str,
        values: pulumi.Input[dict[str, Any]],
        timeout: int,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(name, target, after)
        own = names.ServiceNames(service)
        # The chart's own policy is there only after its migration has run, which is before anything else of it.
        flows = networking.NetworkPolicy(
            f"{name}-migration-flows",
            metadata=self.metadata(f"{own.release}-migrations", annotations=pods.OPERATORS_PODS),
            spec=network.spec(
                own.migration_labels, egress=(Flow(Peer(names.DATABASE_LABELS), (names.DATABASE_PORT,)),)
            ),
            opts=self.options(),
        )
        release = helm.Release(
            f"{name}-release",
            name=own.release,
            namespace=target.namespace,
            # Relative to this program's folder, so that the state of one machine means the same on another.
            chart=f"../{CHART}",
            # The provider compares inputs, not the chart's files: without this, a changed template changes nothing.
            description=f"chart {digest()}",
            values=values,
            atomic=True,
            cleanup_on_fail=True,
            # The namespace is the stack's own: what an update that was killed has left under the name is taken over.
            replace=True,
            timeout=timeout,
            max_history=5,
            # Migration and rollout have the time each; going back takes it once more.
            opts=self.options(flows, minutes=timeout * 3 // 60 + 1),
        )
        self.ready: pulumi.Output[str] = release.id
        """Known once its pods are."""
        self.register_outputs({"release": own.release})
