"""Outputs of a platform's stack: what environments on it take as settings, and what people need."""

from typing import Any

from infra.config.reading import paths_of
from infra.config.settings import Settings
from infra.platform.clusters.base import ConnectedCluster
from infra.platform.settings import PlatformSettings
from infra.stack_outputs import PLATFORM_SETTINGS


def outputs(settings: PlatformSettings, cluster: ConnectedCluster, addons: dict[str, Any]) -> dict[str, Any]:
    """Describe the platform.

    Args:
        addons: what they give: settings of environments by path, and others.
    """
    known = paths_of(Settings)
    environment = {**cluster.environment, **{path: value for path, value in addons.items() if path in known}}
    if settings.hostname:
        environment["hostname"] = settings.hostname
    exported: dict[str, Any] = {
        PLATFORM_SETTINGS: environment,
        "cloud": str(cluster.cloud),
        "region": cluster.region,
        "identity": dict(cluster.identity),
        **cluster.outputs,
        **{name: value for name, value in addons.items() if name not in known},
    }
    if cluster.kubeconfig is not None:
        exported["kubeconfig"] = cluster.kubeconfig
    return exported
