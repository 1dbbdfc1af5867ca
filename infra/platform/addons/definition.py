"""Definition of an add-on: its chart's namespace and values, and what it comes after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.config.quantity import quantity
from infra.platform.addons.settings import AddonSettings
from infra.platform.addons.versions import CHARTS, Chart
from infra.platform.clusters.base import ConnectedCluster

Values = dict[str, Any]


@dataclass(frozen=True)
class ClusterObject:
    """An object without a namespace that only one installation of an add-on can have.

    Args:
        group, version, plural: its kind's in the API.
        name: its own.
    """

    group: str
    version: str
    plural: str
    name: str


def crd(name: str) -> ClusterObject:
    """Return a CustomResourceDefinition."""
    return ClusterObject("apiextensions.k8s.io", "v1", "customresourcedefinitions", name)


def api_service(name: str) -> ClusterObject:
    """Return an APIService."""
    return ClusterObject("apiregistration.k8s.io", "v1", "apiservices", name)


@dataclass(frozen=True)
class Addon:
    """An add-on.

    Args:
        key: in the table of charts, and its setting.
        namespace: that its chart is installed in.
        values: of its chart.
        owned: by which an installation is recognised.
        after: add-ons that have to be there first, where this stack installs them.
        minutes: how long its readiness is waited for.
        part_of: the setting of several add-ons that are one for whoever installs them.
    """

    key: str
    namespace: str
    values: Callable[[AddonSettings, ConnectedCluster], Values]
    owned: ClusterObject
    after: tuple[str, ...] = ()
    minutes: int = 5
    part_of: str = ""

    @property
    def setting(self) -> str:
        return self.part_of or self.key

    @property
    def chart(self) -> Chart:
        return CHARTS[self.key]


def requests(cpu: int, memory: int, memory_limit: int) -> Values:
    """Return the `resources` of a container: millicores, and MiB."""
    return {
        "requests": {"cpu": quantity(cpu, "m"), "memory": quantity(memory, "Mi")},
        "limits": {"memory": quantity(memory_limit, "Mi")},
    }


def merge(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> Values:
    """Merge values over others as Helm merges files of values: objects by key, anything else as a whole."""
    merged = dict(values)
    for key, value in overrides.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged
