"""Istio: its control plane by its own charts, with stock Envoy as the proxy, and its CNI plugin on the nodes."""

from __future__ import annotations

from typing import Any

import yaml

from local import paths
from local.cluster import kubectl, pod_network
from local.cluster.nodes import Node
from local.host import commands
from local.images.catalogue import ISTIO_MODULE
from local.tools import go_tools, wheels

NAMESPACE = "istio-system"
GATEWAY_CLASS = "istio"
MESH_CONFIGURATION = paths.ROOT / "infra" / "platform" / "addons" / "mesh-config.yaml"

# The proxies fetch the keys of tokens themselves: istiod has no certificate that services under STRICT would accept.
REMOTE_KEYS = {"PILOT_JWT_ENABLE_REMOTE_JWKS": "envoy"}
RUNTIME_DEFAULT = {"type": "RuntimeDefault"}


def mesh_configuration() -> dict[str, Any]:
    """Return the mesh's configuration: that of every cluster, with one thread a proxy."""
    content: dict[str, Any] = yaml.safe_load(MESH_CONFIGURATION.read_text())
    return {**content, "defaultConfig": {**content["defaultConfig"], "concurrency": 1}}


def base_values() -> dict[str, Any]:
    """Return the values of the chart of CRDs."""
    return {"base": {"validationFailurePolicy": "Fail"}}


def control_plane_values(replicas: int) -> dict[str, Any]:
    """Return the values of istiod's chart."""
    return {
        "global": {
            "hub": "docker.io/istio",
            "tag": go_tools.ISTIO_VERSION,
            "imagePullPolicy": "IfNotPresent",
            "proxy": {
                "seccompProfile": RUNTIME_DEFAULT,
                "resources": {"requests": {"cpu": "10m", "memory": "48Mi"}, "limits": {"cpu": None, "memory": "256Mi"}},
            },
        },
        "cni": {"enabled": True},
        # Filters of Istio's own Envoy: a stock one refuses every listener with them.
        "env": {"PILOT_ENABLE_ALPN_FILTER": False, "PILOT_ENABLE_METADATA_EXCHANGE": False, **REMOTE_KEYS},
        "telemetry": {"enabled": False},
        "autoscaleEnabled": False,
        "replicaCount": replicas,
        "resources": {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "512Mi"}},
        "seccompProfile": RUNTIME_DEFAULT,
        "gateways": {"seccompProfile": RUNTIME_DEFAULT},
        # There is no load balancer here: a Gateway's Service has ports of the nodes.
        "gatewayClasses": {GATEWAY_CLASS: {"service": {"spec": {"type": "NodePort"}}}},
        "base": {"validationFailurePolicy": "Fail"},
        "meshConfig": mesh_configuration(),
    }


def manifest(chart: str, release: str, values: dict[str, Any]) -> str:
    """Return the manifest of one of Istio's charts."""
    source = go_tools.module_source(*ISTIO_MODULE) / "manifests" / "charts" / chart
    command = ("template", release, source, "--namespace", NAMESPACE, "--kube-version", go_tools.KUBERNETES_VERSION)
    return commands.run(wheels.helm(), *command, "--values", "-", stdin=yaml.safe_dump(values))


def install(nodes: list[Node]) -> None:
    """Install Istio; return when it serves its gateway class and gives pods sidecars."""
    kubectl.apply(kubectl.render("istio", namespace=NAMESPACE, cni_user=pod_network.ISTIO_USER))
    pod_network.add_istio(go_tools.binary("istio", "istio-cni"), nodes)
    kubectl.apply(manifest("base", "istio-base", base_values()))
    kubectl.wait_condition("crd", "peerauthentications.security.istio.io", "Established")
    kubectl.apply(manifest("istio-control/istio-discovery", "istiod", control_plane_values(min(len(nodes), 2))))
    kubectl.wait_rollout(NAMESPACE, "istiod")
    kubectl.wait_condition("gatewayclass", GATEWAY_CLASS, "Accepted")
