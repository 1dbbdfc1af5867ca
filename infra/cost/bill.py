"""Monthly bill of a stack: nodes and what belongs to the cluster, its volumes, what it stores and what it sends."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from infra.config.settings import Settings
from infra.cost.volumes import database_volumes, volumes
from infra.names import ALL, PROJECT
from infra.phases import PHASES
from infra.platform import prices
from infra.platform.settings import ClusterKind
from infra.platform.sizes import Component, Item, monthly

REQUESTS_PER_SERVER: Final = PHASES[3].services[ALL].api.requests_per_second or 0
"""Requests a second that a server of the API is made for (infra/phases.py)."""
BUSY: Final = 0.1
"""Assumption: the average request rate of a month, as a part of what the servers are made for."""
RESPONSE_KIB: Final = 4
"""Assumption: what a response sends to the internet, its header included."""
STORED: Final = 2
"""Assumption: GiB in the bucket for each GiB of the database's volumes: base backups, and the log since then."""
SECONDS: Final = prices.HOURS * 3600
"""Of a month."""


@dataclass(frozen=True)
class Bill:
    """What a stack costs.

    Args:
        provider: where its cluster is.
        items: lines.
        requests: in a month, with the least servers and with the most.
    """

    provider: ClusterKind
    items: tuple[Item, ...]
    requests: tuple[float, float]

    @property
    def total(self) -> tuple[float, float]:
        """The least and the most, in US dollars."""
        return monthly(self.items)

    @property
    def components(self) -> dict[Component, tuple[float, float]]:
        """The least and the most by component, of those that cost something."""
        found = {each: monthly(tuple(item for item in self.items if item.component is each)) for each in Component}
        return {component: costs for component, costs in found.items() if costs[1]}

    @property
    def largest(self) -> Item:
        """The line that costs most."""
        return max(self.items, key=lambda item: item.costs[1])

    @property
    def per_million_requests(self) -> tuple[float, float]:
        """US dollars, with the least servers and with the most."""
        (least, most), (fewest, greatest) = self.total, self.requests
        return least / fewest * 1e6, most / greatest * 1e6


def bill(settings: Settings, provider: ClusterKind, cluster: tuple[Item, ...]) -> Bill:
    """Return the bill of a stack that is alone on its cluster.

    Args:
        settings: the stack's.
        provider: where the cluster is.
        cluster: lines of nodes, control plane and the rest of the platform.
    """
    servers = [service.api for service in settings.row.services.values()]
    month = REQUESTS_PER_SERVER * BUSY * SECONDS
    requests = (sum(api.min_replicas for api in servers) * month, sum(api.max_replicas for api in servers) * month)
    traffic = _traffic(requests, provider, cluster)
    return Bill(provider, (*cluster, *_volumes(settings, provider), *_stored(settings, provider), traffic), requests)


def _volumes(settings: Settings, provider: ClusterKind) -> Iterator[Item]:
    # A single server keeps them on its own disk.
    price = {ClusterKind.DIGITALOCEAN: prices.DIGITALOCEAN_VOLUME, ClusterKind.AWS: prices.AWS_GP3}.get(provider, 0.0)
    for each in volumes(settings):
        what = f"GiB of the {each.part}, {each.number} of {each.size}"
        setting = each.setting and f"{PROJECT}:{each.setting}"
        yield Item(Component.VOLUMES, what, each.total, each.total, price, setting)


def _stored(settings: Settings, provider: ClusterKind) -> Iterator[Item]:
    """Backups beyond what the price of the bucket includes."""
    if provider is ClusterKind.VPS or not settings.row.postgresql.backups_expected:
        return
    included, price = {
        ClusterKind.DIGITALOCEAN: (prices.DIGITALOCEAN_SPACES_INCLUDED, prices.DIGITALOCEAN_STORED),
        ClusterKind.AWS: (0, prices.AWS_STORED),
    }[provider]
    stored = max(0, database_volumes(settings) * STORED - included)
    yield Item(Component.BACKUPS, "GiB in the bucket", stored, stored, price, f"{PROJECT}:database.storage")


def _traffic(requests: tuple[float, float], provider: ClusterKind, cluster: tuple[Item, ...]) -> Item:
    """What is sent to the internet beyond what is free: on AWS once, on DigitalOcean with each Droplet."""
    fewest, greatest = (count * RESPONSE_KIB / 2**20 for count in requests)
    if provider is ClusterKind.AWS:
        least, most = fewest - prices.AWS_TRAFFIC_INCLUDED, greatest - prices.AWS_TRAFFIC_INCLUDED
        price = prices.AWS_TRAFFIC
    else:
        droplets = [item for item in cluster if item.component is Component.NODES]
        least = fewest - sum(item.least for item in droplets) * prices.DIGITALOCEAN_TRAFFIC_INCLUDED
        most = greatest - sum(item.most for item in droplets) * prices.DIGITALOCEAN_TRAFFIC_INCLUDED
        price = prices.DIGITALOCEAN_TRAFFIC
    return Item(Component.TRAFFIC, "GiB sent", max(0.0, least), max(0.0, most), price)
