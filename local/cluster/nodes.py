"""The nodes of the cluster: their names, addresses and directories. Node 1 is the machine itself; each further node
lives in a network namespace of its own and runs its own containerd, kubelet and kube-proxy there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local import paths

POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
NODE_RANGE = "172.30.0.0/24"
API_ADDRESS = "172.30.0.1"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
API_PORT = 6443
MOST_NODES = 9


@dataclass(frozen=True)
class Node:
    """One node, by its number from 1."""

    number: int

    @property
    def name(self) -> str:
        return f"node-{self.number}"

    @property
    def address(self) -> str:
        return f"172.30.0.{self.number}"

    @property
    def pod_range(self) -> str:
        return f"10.244.{self.number}.0/24"

    @property
    def network(self) -> str | None:
        """Its network namespace; None for the machine's own."""
        return None if self.number == 1 else f"pt-{self.name}"

    @property
    def directory(self) -> Path:
        return paths.CLUSTER / "nodes" / str(self.number)

    @property
    def cgroup(self) -> str:
        return f"/{paths.CLUSTER_NAME}/{self.name}"

    @property
    def containerd_socket(self) -> Path:
        return self.directory / "containerd.sock"

    @property
    def labels(self) -> str:
        """Each node has a zone of its own, so that spreading over zones can be seen."""
        return f"topology.kubernetes.io/region=local,topology.kubernetes.io/zone=zone-{self.number}"


def nodes(count: int) -> list[Node]:
    return [Node(number) for number in range(1, count + 1)]
