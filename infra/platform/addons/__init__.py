"""Add-ons of a cluster: a place for them until they are there."""

from dataclasses import dataclass, field
from typing import Any

from infra.platform.addons.settings import AddonSettings
from infra.platform.clusters.base import ConnectedCluster


@dataclass(frozen=True)
class Addons:
    """What has been installed."""

    outputs: dict[str, Any] = field(default_factory=dict)


def install(settings: AddonSettings, cluster: ConnectedCluster) -> Addons:
    """Install nothing yet."""
    del settings, cluster
    return Addons()
