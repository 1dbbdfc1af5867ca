"""Sections of the number and size of pods that have no other settings."""

from typing import Annotated

from pydantic import Field

from infra.config.sections import Section
from infra.config.types import Cpu, Memory, Shards, Storage


class Api(Section):
    """Number and size of the API's pods; in phase 4 of each service's."""

    min_replicas: Annotated[int, Field(ge=1, le=500)] | None = Field(
        default=None,
        description="Pods that there are at least. Empty: the phase's own (1: 1, 2: 3, 3: 3, 4: 2, of tasks 3).",
    )
    max_replicas: Annotated[int, Field(ge=1, le=500)] | None = Field(
        default=None,
        description="Pods that there are at most. Empty: the phase's own (1: 1, 2: 3, 3: 12, 4: 6, of tasks 30).",
    )
    threads: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="Requests that a pod serves at a time. Empty: the phase's own (8)."
    )
    cpu: Cpu | None = Field(
        default=None,
        description="CPU request of a pod, in millicores; its limit is one core, or the request where that is more."
        " Empty: the phase's own (1 and 2: 150, 3 to 4: 700).",
    )
    memory: Annotated[int, Field(ge=256, le=1_048_576)] | None = Field(
        default=None, description="Memory of a pod, in MiB: request and limit. Empty: the phase's own (384)."
    )


class Workers(Section):
    """Number and size of the pods for background jobs, from phase 2 on; in phase 4 of each service's."""

    min_replicas: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="Workers that there are at least. Empty: the phase's own (1)."
    )
    max_replicas: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None,
        description="Workers that there are at most. Empty: the phase's own (2: 2, 3: 4, 4: 2, of notifications 4, of"
        " tasks 8).",
    )
    cpu: Cpu | None = Field(
        default=None, description="CPU request of a worker, in millicores. Empty: the phase's own (100)."
    )
    memory: Annotated[int, Field(ge=256, le=1_048_576)] | None = Field(
        default=None, description="Memory of a worker, in MiB: request and limit. Empty: the phase's own (384)."
    )


class Cache(Section):
    """The cache's servers, from phase 2 on."""

    shards: Shards | None = Field(
        default=None,
        description="Servers that share the keys: 1, or 3 and more. It can be raised at any time, and never lowered."
        " Empty: the phase's own (2: 1, 3 to 4: 3).",
    )
    followers: Annotated[int, Field(ge=0, le=3)] | None = Field(
        default=None, description="Replicas of each of several shards. Empty: the phase's own (2: 0, 3 to 4: 1)."
    )
    cpu: Cpu | None = Field(
        default=None, description="CPU request of each server, in millicores. Empty: the phase's own (50)."
    )
    memory: Memory | None = Field(
        default=None,
        description="Memory of each server, in MiB; two thirds are for what is kept. Empty: the phase's own (192).",
    )
    storage: Storage | None = Field(
        default=None,
        description="GiB of each server's volume; it can grow, and never shrink. Empty: the phase's own (2).",
    )


class Broker(Section):
    """The broker of background jobs, in phases 2 and 3."""

    cpu: Cpu | None = Field(default=None, description="Its CPU request, in millicores. Empty: the phase's own (25).")
    memory: Memory | None = Field(
        default=None, description="Its memory, in MiB: request and limit. Empty: the phase's own (96)."
    )
    storage: Storage | None = Field(
        default=None, description="GiB of its volume; it can grow, and never shrink. Empty: the phase's own (1)."
    )


class RabbitMQ(Section):
    """The nodes of RabbitMQ, in phase 4."""

    cpu: Cpu | None = Field(
        default=None, description="CPU request of each node, in millicores. Empty: the phase's own (200)."
    )
    memory: Annotated[int, Field(ge=512, le=1_048_576)] | None = Field(
        default=None,
        description="Memory of each node, in MiB: request and limit. At six tenths of it publishers are blocked. Empty:"
        " the phase's own (1024).",
    )
    storage: Storage | None = Field(
        default=None,
        description="GiB of each node's volume; it can grow, and never shrink. With a fifth of it left publishers are"
        " blocked. Empty: the phase's own (10).",
    )
