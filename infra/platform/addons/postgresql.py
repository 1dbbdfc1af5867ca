"""PostgreSQL: CloudNativePG, and its plugin for backups to a bucket."""

from typing import Final

from infra.platform.addons.definition import Addon, Values, crd, requests
from infra.platform.addons.settings import AddonSettings
from infra.platform.clusters.base import ConnectedCluster

NAMESPACE: Final = "cnpg-system"


def _operator(settings: AddonSettings, _: ConnectedCluster) -> Values:
    return {
        "crds": {"create": True},
        "monitoring": {"podMonitorEnabled": settings.installs("prometheus_operator")},
        "resources": requests(50, 128, 384),
    }


def _plugin(_: AddonSettings, __: ConnectedCluster) -> Values:
    return {"crds": {"create": True}, "resources": requests(10, 64, 256)}


ADDONS: Final = (
    Addon("cloudnative_pg", NAMESPACE, _operator, crd("clusters.postgresql.cnpg.io"), after=("prometheus_operator",)),
    # Both talk by mutual TLS, with certificates of cert-manager.
    Addon(
        "barman_cloud",
        NAMESPACE,
        _plugin,
        crd("objectstores.barmancloud.cnpg.io"),
        after=("cloudnative_pg", "cert_manager"),
    ),
)
