"""Resharding of the cache: a Job that shares the slots of the Redis Cluster out over its shards."""

from collections.abc import Sequence

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.data.cache import hosts
from infra.components.image_job import SECRETS, Command, ImageJob
from infra.components.network import Flow, Peer
from infra.config import phase_spec
from infra.config.image import Image


class CacheResharding(ImageJob):
    """Shares the slots out over the shards, and gives each its followers.

    After the release: the pods of the phase before know one server only, and are not told where a key has gone.
    """

    TYPE = "CacheShape"

    def __init__(
        self, name: str, target: Target, *, row: phase_spec.Cache, image: Image, after: Sequence[pulumi.Resource]
    ) -> None:
        command = Command(
            name=names.CACHE_SHAPE,
            words=[
                "shape-cache",
                *(word for host in hosts(row) for word in ("--server", f"{host}:{names.VALKEY_PORT}")),
                *("--shards", str(row.shards)),
                *("--user", names.VALKEY_OPERATOR),
                *("--password-file", f"{SECRETS}/{names.VALKEY_OPERATOR_PASSWORD}"),
            ],
            secret=names.CACHE,
            outward=(Flow(Peer(names.CACHE_LABELS), (names.VALKEY_PORT,)),),
        )
        super().__init__(name, target, command=command, image=image, after=after)
        self.register_outputs({"shards": row.shards})
