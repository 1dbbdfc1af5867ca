"""Installation of the add-ons as Helm releases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.helm import v3 as helm
from pulumi_kubernetes.meta import v1 as meta

from infra.cluster_api import ClusterApiError
from infra.platform.addons import certificates, gateway, mesh, metrics, postgresql, present, secret_stores
from infra.platform.addons.definition import Addon, merge
from infra.platform.addons.in_use import LABELS, PRIVILEGED, RESTRICTED, UsePolicy
from infra.platform.addons.settings import AddonSettings
from infra.platform.clusters.base import ConnectedCluster

ADDONS: Final = (
    *gateway.ADDONS,
    *certificates.ADDONS,
    *postgresql.ADDONS,
    *metrics.ADDONS,
    *secret_stores.ADDONS,
    *mesh.ADDONS,
)

# Every cluster has it.
_EXISTING_NAMESPACES: Final = ("kube-system",)


@dataclass(frozen=True)
class Addons:
    """What environments are told of the add-ons.

    Args:
        outputs: settings of environments by path (docs/settings.md), and others by name.
        resources: the releases.
    """

    outputs: dict[str, Any]
    resources: tuple[pulumi.Resource, ...]


def install(settings: AddonSettings, cluster: ConnectedCluster) -> Addons:
    """Install what a cluster lacks.

    Raises:
        pulumi.RunError: an add-on is there already, one line for each; or the cluster may not be asked for them.
    """
    chosen = _in_order([addon for addon in ADDONS if _is_wanted(addon, settings, cluster)])
    if cluster.cloud == "provided" and (read := present.connect(cluster.environment.get("context", ""))):
        try:
            _refuse(present.conflicts(read, chosen))
        except ClusterApiError as error:
            raise pulumi.RunError(f"addons: {error}") from error
    policy = UsePolicy("in-use", cluster.provider)
    namespaces = _namespaces(chosen, cluster)
    releases: dict[str, pulumi.Resource] = {}
    for addon in chosen:
        before = [releases[key] for key in addon.after if key in releases]
        if addon.namespace in namespaces:
            before.append(namespaces[addon.namespace])
        releases[addon.key] = _release(addon, settings, cluster, before)
        policy.record(addon, releases[addon.key])
    if settings.acme_email:
        _cluster_issuer(settings, cluster, [releases[key] for key in ("cert_manager",) if key in releases])
    return Addons(_outputs(settings, chosen), tuple(releases.values()))


def _is_wanted(addon: Addon, settings: AddonSettings, cluster: ConnectedCluster) -> bool:
    if addon.key == "aws_load_balancer" and cluster.cloud != "aws":
        return False
    if addon.key == "metrics_server" and cluster.cloud == "vps":
        return False  # k3s brings its own
    return settings.installs(addon.setting)


def _in_order(addons: Sequence[Addon]) -> list[Addon]:
    """Return add-ons after those that they come after."""
    waiting, ordered = list(addons), list[Addon]()
    while waiting:
        keys = {addon.key for addon in waiting}
        ready = [addon for addon in waiting if not keys.intersection(addon.after)]
        ordered += ready
        waiting = [addon for addon in waiting if addon not in ready]
    return ordered


def _refuse(lines: Sequence[str]) -> None:
    if lines:
        raise pulumi.RunError("\n".join(lines))


def _namespaces(addons: Sequence[Addon], cluster: ConnectedCluster) -> Mapping[str, core.Namespace]:
    """Register the namespaces of the add-ons."""
    # kube-prometheus-stack's node exporter reads the nodes' own files.
    privileged = {addon.namespace for addon in addons if addon.key == "prometheus_operator"}
    names = dict.fromkeys(addon.namespace for addon in addons if addon.namespace not in _EXISTING_NAMESPACES)
    return {
        name: core.Namespace(
            name,
            metadata=meta.ObjectMetaArgs(
                name=name,
                labels={**LABELS, **(PRIVILEGED if name in privileged else RESTRICTED)},
            ),
            opts=pulumi.ResourceOptions(provider=cluster.provider),
        )
        for name in names
    }


def _release(
    addon: Addon, settings: AddonSettings, cluster: ConnectedCluster, after: Sequence[pulumi.Resource]
) -> helm.Release:
    seconds = addon.minutes * 60
    # Installing and, where that fails, going back take the time each.
    limit = f"{addon.minutes * 2 + 1}m"
    return helm.Release(
        addon.key,
        name=addon.chart.release_name,
        namespace=addon.namespace,
        chart=addon.chart.name,
        version=addon.chart.version,
        repository_opts=helm.RepositoryOptsArgs(repo=settings.repository or addon.chart.repository),
        values=merge(addon.values(settings, cluster), settings.values.get(addon.key, {})),
        atomic=True,
        cleanup_on_fail=True,
        timeout=seconds,
        max_history=5,
        opts=pulumi.ResourceOptions(
            provider=cluster.provider,
            depends_on=list(after),
            custom_timeouts=pulumi.CustomTimeouts(create=limit, update=limit, delete=limit),
        ),
    )


def _cluster_issuer(settings: AddonSettings, cluster: ConnectedCluster, after: Sequence[pulumi.Resource]) -> None:
    kubernetes.apiextensions.CustomResource(
        certificates.CLUSTER_ISSUER,
        api_version="cert-manager.io/v1",
        kind="ClusterIssuer",
        metadata=meta.ObjectMetaArgs(name=certificates.CLUSTER_ISSUER, labels=LABELS),
        spec=certificates.cluster_issuer(settings),
        opts=pulumi.ResourceOptions(provider=cluster.provider, depends_on=list(after)),
    )


def _outputs(settings: AddonSettings, installed: Sequence[Addon]) -> dict[str, Any]:
    return {
        "gateway.class": gateway.GATEWAY_CLASS,
        "gateway.namespace": gateway.NAMESPACE,
        "database.operator_namespace": postgresql.NAMESPACE,
        "monitoring.namespace": metrics.NAMESPACE,
        "monitoring.adapter_namespace": metrics.NAMESPACE,
        "cluster_issuer": certificates.CLUSTER_ISSUER if settings.acme_email else "",
        "addons": {addon.key: addon.chart.app_version for addon in installed},
    }
