"""The mesh: Istio's CRDs, its control plane with the gateway class `istio`, and its CNI plugin."""

from pathlib import Path
from typing import Any, Final

import yaml

from infra.platform.addons.definition import Addon, ClusterObject, Values, crd, requests
from infra.platform.addons.gateway import LOAD_BALANCER
from infra.platform.addons.settings import AddonSettings
from infra.platform.clusters.base import ConnectedCluster

GATEWAY_CLASS: Final = "istio"
NAMESPACE: Final = "istio-system"
MESH_CONFIGURATION: Final = Path(__file__).with_name("mesh-config.yaml")

_RUNTIME_DEFAULT: Final = {"type": "RuntimeDefault"}


def _base(_: AddonSettings, __: ConnectedCluster) -> Values:
    return {}


def _platform(cluster: ConnectedCluster) -> Values:
    """Return what tells the charts of another place for CNI plugins."""
    return {"platform": "k3s"} if cluster.cloud == "vps" else {}


def _mesh_configuration() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(MESH_CONFIGURATION.read_text())
    return content


def _istiod(_: AddonSettings, cluster: ConnectedCluster) -> Values:
    one_server = cluster.cloud == "vps"
    service = {
        "metadata": {"annotations": LOAD_BALANCER.get(cluster.cloud, {})},
        # Connections stay on the node that they reach, and keep the client's address.
        "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"},
    }
    return {
        "global": {
            **_platform(cluster),
            "proxy": {"seccompProfile": _RUNTIME_DEFAULT, "resources": requests(20, 64, 256)},
        },
        "cni": {"enabled": True},
        # Proxies fetch the keys of tokens themselves: services under STRICT accept no call of istiod.
        "env": {"PILOT_JWT_ENABLE_REMOTE_JWKS": "envoy"},
        "autoscaleEnabled": False,
        # Without it new pods of the mesh are refused: one is there through a drain.
        "replicaCount": 1 if one_server else 2,
        "resources": requests(100, 256, 1024),
        "seccompProfile": _RUNTIME_DEFAULT,
        "gateways": {"seccompProfile": _RUNTIME_DEFAULT},
        "gatewayClasses": {GATEWAY_CLASS: {"service": service}},
        "meshConfig": _mesh_configuration(),
    }


def _cni(_: AddonSettings, cluster: ConnectedCluster) -> Values:
    return {
        "global": _platform(cluster),
        "excludeNamespaces": ["kube-system", NAMESPACE],
        "seccompProfile": _RUNTIME_DEFAULT,
        "resources": requests(20, 64, 256),
    }


ADDONS: Final = (
    Addon("istio_base", NAMESPACE, _base, crd("peerauthentications.security.istio.io"), part_of="istio"),
    # Its agent writes into directories of the nodes: where the control plane is, no such pod is admitted.
    Addon(
        "istio_cni",
        "kube-system",
        _cni,
        ClusterObject("rbac.authorization.k8s.io", "v1", "clusterroles", "istio-cni"),
        after=("istio_base",),
        part_of="istio",
    ),
    Addon(
        "istiod",
        NAMESPACE,
        _istiod,
        ClusterObject("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "istio-sidecar-injector"),
        # Its gateway class is served only where the CRDs of the Gateway API are there.
        after=("gateway_api", "istio_base", "istio_cni"),
        part_of="istio",
    ),
)
