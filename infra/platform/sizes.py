"""The size table: nodes of each phase on each provider, and nowhere else.

A row may grow and must not replace: what holds data keeps its names, and its size where changing it would make it anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from infra.platform import prices


class Component(StrEnum):
    """What a line of a bill is for."""

    NODES = "nodes"
    CONTROL_PLANE = "control plane"
    NETWORK = "load balancer and network"
    VOLUMES = "volumes"
    BACKUPS = "backups"
    REGISTRY = "registry"
    TRAFFIC = "traffic"


NODES_SETTING: Final = "task-manager-platform:nodes"
"""Setting of a platform that changes what its nodes cost."""


@dataclass(frozen=True)
class Item:
    """A line of a bill.

    Args:
        component: it is for.
        what: it is.
        least, most: how many there are.
        price: of one, in US dollars a month.
        setting: full key of the setting that changes how many there are; empty where none does.
    """

    component: Component
    what: str
    least: float
    most: float
    price: float
    setting: str = ""

    @property
    def costs(self) -> tuple[float, float]:
        """The least and the most of it, in US dollars a month."""
        return self.least * self.price, self.most * self.price

    @property
    def label(self) -> str:
        """What it is, and the most of it."""
        return self.what if self.most == 1 else f"{self.most:,.0f} {self.what}"


@dataclass(frozen=True)
class Server:
    """One Droplet with k3s.

    Args:
        size: its slug.
        backups: whether DigitalOcean keeps an image of it each day.
    """

    size: str
    backups: bool = True

    def items(self) -> tuple[Item, ...]:
        """What it costs."""
        price = prices.DIGITALOCEAN[self.size]
        backups = Item(
            Component.BACKUPS, "daily backups", self.backups, self.backups, price * prices.DIGITALOCEAN_BACKUPS
        )
        return (Item(Component.NODES, f"Droplet {self.size}", 1, 1, price), backups)


@dataclass(frozen=True)
class NodePool:
    """Nodes of one size.

    Args:
        size: slug or instance type.
        least, most: bounds of their number. On AWS in each zone.
    """

    size: str
    least: int
    most: int


@dataclass(frozen=True)
class Doks:
    """A DigitalOcean Kubernetes cluster.

    Args:
        nodes: for the stacks, beside the first node.
        highly_available: its control plane; can be turned on, and not off again.
        registry: plan of the container registry.
        load_balancer_nodes: of the gateway's load balancer.
        bucket: whether there is one for backups.
    """

    nodes: NodePool | None
    highly_available: bool
    registry: str
    load_balancer_nodes: int
    bucket: bool

    def items(self) -> tuple[Item, ...]:
        """What it costs."""
        ha, bucket, balancers = float(self.highly_available), float(self.bucket), self.load_balancer_nodes
        registry = prices.DIGITALOCEAN_REGISTRY[self.registry]
        found = [
            Item(Component.NODES, f"first node {FIRST_NODE}", 1, 1, prices.DIGITALOCEAN[FIRST_NODE]),
            Item(Component.CONTROL_PLANE, "highly available control plane", ha, ha, prices.DIGITALOCEAN_HA),
            Item(Component.NETWORK, "load balancer", balancers, balancers, prices.DIGITALOCEAN_LOAD_BALANCER),
            Item(Component.REGISTRY, f"container registry, {self.registry}", 1, 1, registry),
            Item(Component.BACKUPS, "Spaces", bucket, bucket, prices.DIGITALOCEAN_SPACES),
        ]
        if pool := self.nodes:
            price = prices.DIGITALOCEAN[pool.size]
            found.append(Item(Component.NODES, f"node {pool.size}", pool.least, pool.most, price, NODES_SETTING))
        return tuple(found)


@dataclass(frozen=True)
class Eks:
    """An EKS cluster in a network over three zones.

    Args:
        zones: with nodes, one node group each: a volume cannot leave its zone.
        nodes: of each zone.
        disk: GiB of each node's own volume.
        nat_gateways: one for all zones, or one in each, for the loss of a zone.
    """

    zones: int
    nodes: NodePool
    disk: int
    nat_gateways: int

    def items(self) -> tuple[Item, ...]:
        """What it costs."""
        least, most = self.zones * self.nodes.least, self.zones * self.nodes.most
        addresses = self.nat_gateways + self.zones
        return (
            Item(Component.CONTROL_PLANE, "EKS control plane", 1, 1, prices.AWS_EKS),
            Item(Component.NODES, f"node {self.nodes.size}", least, most, prices.AWS[self.nodes.size], NODES_SETTING),
            Item(
                Component.VOLUMES,
                "GiB of the nodes' own",
                least * self.disk,
                most * self.disk,
                prices.AWS_GP3,
                NODES_SETTING,
            ),
            Item(Component.NETWORK, "NAT gateway", self.nat_gateways, self.nat_gateways, prices.AWS_NAT_GATEWAY),
            Item(Component.NETWORK, "network load balancer", 1, 1, prices.AWS_LOAD_BALANCER),
            Item(Component.NETWORK, "public IPv4 address", addresses, addresses, prices.AWS_IPV4),
            Item(Component.CONTROL_PLANE, "KMS key", 1, 1, prices.AWS_KMS_KEY),
        )


FIRST_NODE: Final = "s-2vcpu-2gb"
"""DOKS: the node that a cluster is made with. Another size would replace the cluster, so no phase has one."""

VPS: Final[Mapping[int, Server]] = {1: Server("s-1vcpu-2gb")}

# Phase 1 serves by a node port, and its SQLite file is on a volume that DOKS keeps: no load balancer, no bucket.
DIGITALOCEAN: Final[Mapping[int, Doks]] = {
    1: Doks(nodes=None, highly_available=False, registry="starter", load_balancer_nodes=0, bucket=False),
    2: Doks(
        nodes=NodePool("s-2vcpu-4gb", least=2, most=3),
        highly_available=True,
        registry="basic",
        load_balancer_nodes=1,
        bucket=True,
    ),
    # Four instances of PostgreSQL on nodes of their own, with CPUs that nobody shares.
    3: Doks(
        nodes=NodePool("g-4vcpu-16gb", least=4, most=7),
        highly_available=True,
        registry="professional",
        load_balancer_nodes=2,
        bucket=True,
    ),
    # Nodes as in phase 3, so that growing adds some and moves nothing. The least have room for what the phase's pods
    # request at first while one of them is away, the most for what they request at their greatest numbers
    # (tests/infra/test_capacity.py adds that up).
    4: Doks(
        nodes=NodePool("g-4vcpu-16gb", least=6, most=17),
        highly_available=True,
        registry="professional",
        load_balancer_nodes=2,
        bucket=True,
    ),
}

# No phase 1: the control plane alone is $73 a month.
AWS: Final[Mapping[int, Eks]] = {
    2: Eks(zones=2, nodes=NodePool("t3a.medium", least=1, most=1), disk=20, nat_gateways=1),
    3: Eks(zones=3, nodes=NodePool("m6i.large", least=2, most=3), disk=50, nat_gateways=3),
    # The same here, where the least have room while a zone is away.
    4: Eks(zones=3, nodes=NodePool("m6i.large", least=5, most=11), disk=50, nat_gateways=3),
}


def monthly(items: tuple[Item, ...]) -> tuple[float, float]:
    """The least and the most that a month costs, in US dollars."""
    return sum(item.costs[0] for item in items), sum(item.costs[1] for item in items)
