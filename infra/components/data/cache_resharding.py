"""Operation of the cache: a Job that shares its slots out, and a CronJob that keeps its masters apart."""

from collections.abc import Sequence
from typing import Final

import pulumi

from infra import names
from infra.components.base import Target
from infra.components.data.cache import hosts
from infra.components.image_job import SECRETS, Command, ImageCronJob, ImageJob
from infra.components.network import Flow, Peer
from infra.config import phase_spec
from infra.config.image import Image

_OPERATOR: Final = (
    *("--user", names.VALKEY_OPERATOR),
    *("--password-file", f"{SECRETS}/{names.VALKEY_OPERATOR_PASSWORD}"),
)
_EGRESS: Final = (Flow(Peer(names.CACHE_LABELS), (names.VALKEY_PORT,)),)

_QUARTERLY: Final = "*/15 * * * *"
"""Quarter of an hour, the time that two losses of a node may lie apart; a run takes seconds."""


def _servers(row: phase_spec.Cache) -> list[str]:
    return [word for host in hosts(row) for word in ("--server", f"{host}:{names.VALKEY_PORT}")]


class CacheResharding(ImageJob):
    """Shares the slots out over the shards, and gives each its followers.

    After the release: the pods of the phase before know one server only, and are not told where a key has gone.
    """

    TYPE = "CacheShape"

    def __init__(
        self, name: str, target: Target, *, row: phase_spec.Cache, image: Image, after: Sequence[pulumi.Resource]
    ) -> None:
        command = Command(
            name=names.CACHE_RESHARDING,
            words=["shape-cache", *_servers(row), *("--shards", str(row.shards)), *_OPERATOR],
            secret=names.CACHE,
            egress=_EGRESS,
        )
        super().__init__(name, target, command=command, image=image, after=after)
        self.register_outputs({"shards": row.shards})


class CacheSpreading(ImageCronJob):
    """Keeps the masters on nodes and in zones of their own, and replicas apart from their masters (ADR 42)."""

    def __init__(
        self, name: str, target: Target, *, row: phase_spec.Cache, image: Image, after: Sequence[pulumi.Resource]
    ) -> None:
        command = Command(
            name=names.CACHE_SPREADING,
            words=["spread-cache", *_servers(row), *_OPERATOR],
            secret=names.CACHE,
            egress=_EGRESS,
        )
        super().__init__(name, target, command=command, image=image, schedule=_QUARTERLY, after=after)
        self.register_outputs({"servers": row.servers})
