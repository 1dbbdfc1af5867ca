"""The pods' network: CNI plugins, and the configuration that chains them on each node."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from local import paths
from local.cluster import certificates
from local.cluster.certificates import CLUSTER_CA
from local.cluster.control_plane import LOOPBACK_URL, NODE_URL
from local.cluster.network import POD_BRIDGE
from local.cluster.nodes import Node
from local.errors import LocalError
from local.host.files import write
from local.host.packages import CNI_DIRECTORIES

ISTIO = "istio-cni"
ISTIO_USER = "istio-cni"
# Pods of these have no sidecar: the plugin lets them through without asking the API server.
WITHOUT_SIDECARS = ("istio-system", "kube-system")


def plugins() -> Path:
    """Return the directory in which containerd looks for plugins."""
    return paths.CLUSTER / "cni-plugins"


def link_plugins() -> Path:
    """Link the machine's own plugins into the cluster's directory, to which others can be added; return it."""
    for directory in CNI_DIRECTORIES:
        if (directory / "bridge").exists():
            break
    else:
        raise LocalError(f"the network plugins are in neither of {', '.join(map(str, CNI_DIRECTORIES))}")
    plugins().mkdir(parents=True, exist_ok=True)
    for program in ("bridge", "host-local", "loopback", "portmap"):
        link = plugins() / program
        if not link.is_symlink():
            link.symlink_to(directory / program)
    return plugins()


def configuration(node: Node) -> dict[str, Any]:
    """Return a node's configuration: one bridge, addresses from the node's range, and Istio's plugin where it is."""
    addresses = {
        "type": "host-local",
        "dataDir": str(node.directory / "addresses"),
        "ranges": [[{"subnet": node.pod_range}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": POD_BRIDGE, "isGateway": True, "hairpinMode": True, "ipam": addresses}
    chain = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    if (plugins() / ISTIO).exists():
        chain.append(
            {
                "type": ISTIO,
                "name": ISTIO,
                "cni_agent_run_dir": str(_istio_directory(node)),
                "exclude_namespaces": list(WITHOUT_SIDECARS),
                "plugin_log_level": "warn",
            }
        )
    return {"cniVersion": "1.0.0", "name": "primetrade", "plugins": chain}


def configure(node: Node) -> Path:
    """Write a node's configuration, which containerd watches, and what it names; return its directory."""
    if (plugins() / ISTIO).exists():
        client = certificates.issue(ISTIO, CLUSTER_CA, ISTIO_USER)
        server = NODE_URL if node.network else LOOPBACK_URL
        certificates.kubeconfig(_istio_directory(node) / "istio-cni-kubeconfig", client, server)
    content = json.dumps(configuration(node), indent=1)
    return write(node.directory / "cni" / "10-primetrade.conflist", content).parent


def add_istio(program: Path, nodes: list[Node]) -> None:
    """Add the plugin that leads the traffic of pods with a sidecar through it: in place of Istio's DaemonSet.

    Pods that run already stay as they are.
    """
    # A copy: the cache may be cleaned while the cluster runs, and no pod could start then.
    scratch = plugins() / f".{ISTIO}"
    shutil.copy2(program, scratch)
    scratch.rename(plugins() / ISTIO)
    for node in nodes:
        configure(node)


def _istio_directory(node: Node) -> Path:
    """Return where the plugin finds its kubeconfig and writes its log."""
    return node.directory / ISTIO
