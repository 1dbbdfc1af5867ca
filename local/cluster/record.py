"""The record of the cluster that is up: its nodes, add-ons and the boot of the machine that it belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass

from local import paths
from local.cluster import control_plane
from local.cluster.nodes import Node, nodes
from local.errors import LocalError
from local.host.files import write_private


@dataclass(frozen=True)
class Record:
    """Nodes and add-ons of a cluster: written when its nodes are ready, so that a half-made one has none.

    Add-ons can be installed again at any time.

    Attributes:
        deferred: add-ons that the stack answers without, and that come after it.
        deferred_since: when their turn came, in seconds since the epoch; 0 while the stack is brought up.
    """

    nodes: int
    addons: tuple[str, ...]
    boot: str
    deferred: tuple[str, ...] = ()
    deferred_since: float = 0.0

    def save(self) -> None:
        write_private(paths.CLUSTER_RECORD, json.dumps(vars(self)))


def load_record() -> Record | None:
    """Return the record of the cluster, or None where none is whole."""
    if not paths.CLUSTER_RECORD.exists():
        return None
    content = json.loads(paths.CLUSTER_RECORD.read_text())
    return Record(
        content["nodes"],
        tuple(content["addons"]),
        content["boot"],
        tuple(content.get("deferred", ())),
        content.get("deferred_since", 0.0),
    )


def members() -> list[Node]:
    """Return the nodes of the cluster that is up.

    Raises:
        LocalError: there is none.
    """
    known = load_record()
    if known is None or not control_plane.is_ready():
        raise LocalError("no local cluster is up: run `make up`")
    return nodes(known.nodes)
