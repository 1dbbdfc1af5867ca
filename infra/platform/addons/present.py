"""Add-ons that a cluster has already, and that another one must not be installed over."""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from infra import cluster_api
from infra.platform.addons.definition import Addon, ClusterObject

_RELEASE: Final = "meta.helm.sh/release-name"
_NAMESPACE: Final = "meta.helm.sh/release-namespace"
_VERSIONS: Final = ("gateway.networking.k8s.io/bundle-version", "app.kubernetes.io/version", "helm.sh/chart")
"""Annotations and labels that tell an object's version, the most telling first."""


class Reader(Protocol):
    """Reads objects of a cluster."""

    def __call__(self, wanted: ClusterObject) -> dict[str, Any] | None:
        """Return an object as the API has it; None where there is none."""


def connect(context: str) -> Reader | None:
    """Return a reader of the cluster that a kubeconfig leads to; None where there is no kubeconfig.

    Args:
        context: of the kubeconfig; empty for the current one.
    """
    cluster = cluster_api.connect(context or None)
    if cluster is None:
        return None  # the provider says so itself, when it is asked for the first object
    return lambda wanted: cluster.object(f"/apis/{wanted.group}/{wanted.version}/{wanted.plural}/{wanted.name}")


def conflicts(read: Reader, addons: Iterable[Addon]) -> list[str]:
    """Return a line for each add-on that is there already and is not an installation of this stack."""
    lines = []
    for addon in addons:
        found = read(addon.owned)
        if found is not None and not _is_ours(found, addon):
            lines.append(
                f"addons.{addon.setting}: the cluster has {addon.chart.release_name} already ({addon.owned.plural} "
                f"{addon.owned.name}{_version(found)}), and {addon.chart.version} with {addon.chart.app_version} would "
                f"be installed over it: set addons.{addon.setting} to provided, or remove it"
            )
    return lines


def _is_ours(found: dict[str, Any], addon: Addon) -> bool:
    annotations = found["metadata"].get("annotations") or {}
    return (annotations.get(_RELEASE), annotations.get(_NAMESPACE)) == (addon.chart.release_name, addon.namespace)


def _version(found: dict[str, Any]) -> str:
    told = {**(found["metadata"].get("labels") or {}), **(found["metadata"].get("annotations") or {})}
    return next((f", {told[key]}" for key in _VERSIONS if key in told), "")
