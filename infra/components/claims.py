"""The volumes of a StatefulSet's pods, as resources of their own: so they can grow.

A StatefulSet's templates of claims never change, and another StatefulSet would mean other pods. A claim that is there
under the name that the StatefulSet would give it is taken as it is, and its size is no matter of the template.
"""

import pulumi
from pulumi_kubernetes.core import v1 as core

from infra.components import pods
from infra.components.base import Component


def data_claims(component: Component, servers: str, number: int, gibibytes: int) -> list[pulumi.Resource]:
    """Make the claim `data` of each pod.

    Stacks of earlier releases have such claims already, made by the StatefulSet: they are taken over.

    Args:
        component: whose volumes they are.
        servers: name of the StatefulSet.
        number: how many pods it has.
        gibibytes: size of each volume. It can grow, where the StorageClass lets volumes grow, and never shrink.
    """
    return [
        core.PersistentVolumeClaim(
            f"{component.name}-claim-{index}",
            metadata=component.metadata(
                f"{pods.DATA}-{servers}-{index}",
                annotations={
                    # Storage classes that wait for the first consumer bind it when the pod comes, which is later.
                    "pulumi.com/skipAwait": "true",
                    # Of a claim that the StatefulSet has made, its controller holds the size.
                    "pulumi.com/patchForce": "true",
                },
            ),
            spec=pods.claim_spec(gibibytes, component.target.storage_class),
            # As StatefulSets have it, a volume stays when its pod goes for good. It goes with its namespace alone.
            opts=pulumi.ResourceOptions.merge(
                component.options(retain=True), pulumi.ResourceOptions(provider=component.target.adopting)
            ),
        )
        for index in range(number)
    ]
