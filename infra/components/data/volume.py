"""The volume of phase 1's SQLite file."""

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.core import v1 as core

from infra import names
from infra.components import pods
from infra.components.base import Component, Target


class Volume(Component):
    """A claim that outlives every release of the chart, since the chart mounts it and does not own it.

    It outlives phase 1 too: phase 2 no longer names it, and it stays until its data has been carried and somebody
    removes it. So it is not protected, which would refuse the growth, but retained: it goes with its namespace alone,
    which is protected.

    Args:
        storage: size in GiB.
    """

    def __init__(self, name: str, target: Target, *, storage: int, after: Sequence[pulumi.Resource]) -> None:
        super().__init__(name, target, after)
        core.PersistentVolumeClaim(
            f"{name}-claim",
            metadata=self.metadata(
                names.DATA_CLAIM,
                # Storage classes that wait for the first consumer bind it when the API's pod comes, which is later.
                annotations={"pulumi.com/skipAwait": "true"},
            ),
            spec=pods.claim_spec(storage, target.storage_class),
            opts=self.options(retain=True),
        )
        self.register_outputs({"claim": names.DATA_CLAIM})
