"""Typed settings of a platform's stack. `Pulumi.yaml` and docs/platform-settings.md are written from them."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Final, Self

import pulumi
from packaging.version import Version
from pydantic import AfterValidator, Field, ValidationError, model_validator

from infra.cluster_api import OLDEST_KUBERNETES
from infra.config.project import PLATFORM
from infra.config.reading import read
from infra.config.sections import Section
from infra.config.types import Name
from infra.platform import prices, sizes
from infra.platform.addons.settings import AddonSettings

K3S: Final = {"1.34": "v1.34.4+k3s1"}
"""Release of k3s by Kubernetes version (github.com/k3s-io/k3s/releases, 2026-11-30)."""


class ClusterKind(StrEnum):
    """Where the cluster comes from."""

    PROVIDED = "provided"
    VPS = "vps"
    DIGITALOCEAN = "digitalocean"
    AWS = "aws"


def _is_version(text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+", text):
        raise ValueError(f"{text!r} is no version of Kubernetes: write it as 1.34")
    if Version(text) < OLDEST_KUBERNETES:
        raise ValueError(f"{text} is too old: the task manager needs {OLDEST_KUBERNETES} or later")
    return text


def parse_addresses(text: str) -> tuple[str, ...]:
    """Read ranges of addresses that are separated by commas.

    Raises:
        ValueError: one of them is none, or is everybody.
    """
    addresses = tuple(part.strip() for part in text.split(",") if part.strip())
    for address in addresses:
        try:
            network = ipaddress.ip_network(address)
        except ValueError:
            raise ValueError(f"{address!r} is no range of addresses: write it as 192.0.2.7/32") from None
        if network.prefixlen == 0:
            raise ValueError(f"{address} is everybody: name the addresses that administrators and pipelines come from")
    return addresses


def _are_addresses(text: str) -> str:
    parse_addresses(text)
    return text


def _is_network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        network = None
    if network is None or network.version != 4 or not network.is_private or network.prefixlen > 18:
        raise ValueError(f"{text!r} is no private IPv4 network of at least /18: write it as 10.20.0.0/16")
    return text


class Nodes(Section):
    """Nodes of the cluster, where they differ from the phase's row in infra/platform/sizes.py."""

    size: str = Field(default="", description="Slug or instance type of a node. Empty: the phase's own.")
    least: int = Field(default=0, ge=0, le=100, description="Fewest nodes; on AWS in each zone. 0: the phase's own.")
    most: int = Field(default=0, ge=0, le=100, description="Most nodes; on AWS in each zone. 0: the phase's own.")


class Registry(Section):
    """The container registry."""

    name: Name = Field(
        default="",
        description="DigitalOcean: a registry that the account has already, since a plan may allow one alone."
        " Empty: one is made.",
    )


class PlatformSettings(Section):
    """All settings of a platform's stack."""

    cluster: ClusterKind = Field(
        default=ClusterKind.PROVIDED,
        description="Where the cluster comes from: provided (a context of the kubeconfig), vps (one server with k3s),"
        " digitalocean (DOKS) or aws (EKS).",
    )
    phase: int = Field(default=1, description="Row of the size table: the phase of the largest stack on the cluster.")
    context: str = Field(default="", description="provided: context of the kubeconfig. Empty: its current one.")
    region: str = Field(
        default="", pattern=r"^[a-z0-9-]*$", description="vps, digitalocean, aws: the provider's name of the region."
    )
    admin_addresses: Annotated[str, AfterValidator(_are_addresses)] = Field(
        default="",
        description="vps, digitalocean, aws: ranges of addresses that reach the Kubernetes API (vps: SSH too), as"
        " 192.0.2.7/32,198.51.100.0/24; the machine that runs pulumi is in one of them.",
    )
    kubernetes_version: Annotated[str, AfterValidator(_is_version)] = Field(
        default="1.34", description="vps, digitalocean, aws: minor version of Kubernetes, raised one at a time."
    )
    network: Annotated[str, AfterValidator(_is_network)] = Field(
        default="10.20.0.0/16", description="vps, digitalocean, aws: addresses of the private network."
    )
    nodes: Nodes = Field(default_factory=Nodes)
    registry: Registry = Field(default_factory=Registry)
    backup_days: int = Field(
        default=30, ge=1, le=3650, description="Days that the bucket keeps what was overwritten or deleted in it."
    )
    hostname: Name = Field(
        default="", description="Host name of the environment, which its hostname setting is by default."
    )
    node_port: int = Field(
        default=30080, ge=30000, le=32767, description="vps: port of phase 1's stack, which the firewall lets in."
    )
    protect: bool = Field(
        default=True, description="Whether cluster, network, registry and bucket refuse to be destroyed."
    )
    addons: AddonSettings = Field(default_factory=AddonSettings)

    @property
    def made(self) -> bool:
        """Whether the program makes the cluster."""
        return self.cluster is not ClusterKind.PROVIDED

    @property
    def administrators(self) -> list[str]:
        """Ranges of addresses that reach the Kubernetes API."""
        return list(parse_addresses(self.admin_addresses))

    def row(self) -> sizes.Server | sizes.Doks | sizes.Eks | None:
        """The phase's row for this kind of cluster, and None for one that is provided."""
        table = TABLES.get(self.cluster, {})
        return table.get(self.phase)

    def pool(self, row: sizes.NodePool) -> sizes.NodePool:
        """The nodes of a row, with what is set for them."""
        least = self.nodes.least or row.least
        return sizes.NodePool(self.nodes.size or row.size, least, self.nodes.most or max(row.most, least))

    def items(self) -> tuple[sizes.Item, ...]:
        """What the cluster costs; nothing is known of one that is provided."""
        row = self.row()
        if row is None:
            return ()
        if isinstance(row, sizes.Server) or row.nodes is None:
            return row.items()
        return replace(row, nodes=self.pool(row.nodes)).items()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        prefix, kind = PLATFORM.name, self.cluster
        if not self.made:
            return self
        if self.phase not in TABLES[kind]:
            known = " or ".join(map(str, TABLES[kind]))
            raise ValueError(f"{prefix}:phase: there is no size for phase {self.phase} on {kind}: set it to {known}")
        missing = [key for key in ("region", "admin_addresses") if not getattr(self, key)]
        if missing:
            raise ValueError(f"{prefix}:cluster: {kind} needs to know more: set {' and '.join(missing)}")
        if kind is ClusterKind.AWS and ":" in self.admin_addresses:
            raise ValueError(f"{prefix}:admin_addresses: the API of EKS is reached by IPv4 alone: set IPv4 ranges")
        if kind is ClusterKind.VPS and self.kubernetes_version not in K3S:
            known = " or ".join(K3S)
            raise ValueError(f"{prefix}:kubernetes_version: no release of k3s is pinned for it: set it to {known}")
        known_sizes = prices.AWS if kind is ClusterKind.AWS else prices.DIGITALOCEAN
        if self.nodes.size and self.nodes.size not in known_sizes:
            raise ValueError(
                f"{prefix}:nodes.size: {self.nodes.size!r} is none of {', '.join(known_sizes)}:"
                " set one of them, or add it with its price to infra/platform/prices.py"
            )
        if self.nodes.most and self.nodes.least > self.nodes.most:
            raise ValueError(f"{prefix}:nodes.most: it is below nodes.least: set it to {self.nodes.least} or more")
        return self


TABLES: Final[Mapping[ClusterKind, Mapping[int, sizes.Server | sizes.Doks | sizes.Eks]]] = {
    ClusterKind.VPS: sizes.VPS,
    ClusterKind.DIGITALOCEAN: sizes.DIGITALOCEAN,
    ClusterKind.AWS: sizes.AWS,
}
"""The size table by kind of cluster and phase."""


def load_settings(config: Mapping[str, Any], secret: frozenset[str] = frozenset()) -> PlatformSettings:
    """Check a stack's whole configuration.

    Args:
        config: values by full key, as the engine hands them over.
        secret: keys whose values are secret: messages do not show them.

    Raises:
        pulumi.RunError: one line that names each wrong key, what is wrong with it and what to do.
    """
    found = read(config, PlatformSettings, secret, PLATFORM)
    problems = found.problems
    try:
        settings = PlatformSettings.model_validate(found.values)
    except ValidationError as error:
        problems += [found.sentence(problem) for problem in error.errors(include_url=False)]
    if problems:
        raise pulumi.RunError("configuration: " + "; ".join(problems))
    return settings
