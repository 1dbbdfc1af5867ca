"""A real control plane with KWOK in place of nodes, and the real program brought up on it.

It has a directory and ports of its own, so that it can run beside the local cluster, and needs no root: no network,
no control group and no packet filter is touched. Its processes carry a mark of their own (local/host/processes.py).
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from local import paths
from local.cluster import addons, backups, control_plane, kubectl, metrics
from local.cluster.certificates import CLUSTER_CA, key_pair
from local.cluster.control_plane import ControlPlane
from local.host import processes
from local.host.files import write
from local.host.processes import ProcessSpec
from local.stack import deployment, pulumi
from local.stack.place import Place
from local.tools import environment, go_tools
from tests.scale import machines
from tests.scale.machines import Object
from tests.support.ports import free_port

STACK = "phase3"
NAMESPACE = f"task-manager-{STACK}"
_FOREIGN_VARIABLES = ("KUBECONFIG", "PULUMI_BACKEND_URL", "PULUMI_STACK", "PULUMI_CONFIG_PASSPHRASE")
"""Variables that lead elsewhere, as `make shell` sets them for the local cluster."""
_KWOK = ("sigs.k8s.io/kwok", "v0.7.0")
_STAGES = paths.ROOT / "tests" / "scale" / "stages.yaml"
_DELAYS = {
    "pod-ready": {"durationMilliseconds": 1500, "jitterDurationMilliseconds": 3000},
    "pod-complete": {"durationMilliseconds": 100},
    "pod-delete": {"durationMilliseconds": 1000},
}
"""How long simulated pods take: less than real ones do, and enough for budgets to matter."""


def _plane() -> ControlPlane:
    return ControlPlane(
        api=free_port(),
        etcd=free_port(),
        peers=free_port(),
        controllers=free_port(),
        scheduler=free_port(),
        api_flags=("--bind-address=127.0.0.1", "--feature-gates=WatchList=false"),
        controller_flags=(
            # The default of 15 s would only make the tests wait.
            "--horizontal-pod-autoscaler-sync-period=2s",
            # Simulated nodes have no heartbeat: a hundred of them would cost more than all else. They are lost by
            # being deleted.
            "--node-monitor-grace-period=24h",
        ),
    )


def _kwok() -> ProcessSpec:
    source = go_tools.module_source(*_KWOK) / "kustomize" / "stage"
    of_nodes = yaml.safe_load((source / "node" / "fast" / "node-initialize.yaml").read_text())
    of_pods = [yaml.safe_load((source / "pod" / "fast" / f"{name}.yaml").read_text()) for name in _DELAYS]
    for found in of_pods:
        found["spec"]["delay"] = _DELAYS[found["metadata"]["name"]]
    stages = [of_nodes, *of_pods, *yaml.safe_load_all(_STAGES.read_text())]
    config = write(paths.CONFIG / "kwok.yaml", yaml.safe_dump_all(stages))
    command = (
        str(go_tools.binary("kwok", "kwok")),
        f"--kubeconfig={paths.KUBECONFIG}",
        f"--config={config}",
        "--manage-all-nodes",
        "--node-lease-duration-seconds=0",
        f"--server-address=127.0.0.1:{free_port()}",
    )
    # Debian's etcd can't serve lists as streams: KWOK would fall back half a minute later.
    return ProcessSpec(
        "kwok", command, (config, paths.KUBECONFIG), environment={"KUBE_FEATURE_WatchListClient": "false"}
    )


def _definitions() -> list[Object]:
    """The resources of the operators, as the local cluster has them, and the namespaces that the program expects."""
    texts = [addons.operator_manifest(), backups.plugin_manifest()]
    found = [wanted for text in texts for wanted in yaml.safe_load_all(text)]
    traefik = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "traefik"}}
    return [traefik, *(wanted for wanted in found if wanted and wanted["kind"] == "CustomResourceDefinition")]


def apply(wanted: Iterable[Object]) -> None:
    kubectl.apply(yaml.safe_dump_all(wanted))


@contextmanager
def simulated() -> Iterator[ControlPlane]:
    """Bring the control plane, the nodes and the definitions up; leave nothing behind."""
    clear()
    for name in _FOREIGN_VARIABLES:
        os.environ.pop(name, None)
    plane = _plane()
    try:
        control_plane.make_certificates(plane)
        control_plane.start(plane)
        kubectl.apply_files(*addons.gateway_definitions())
        apply(_definitions())
        for definition in ("clusters.postgresql.cnpg.io", "poolers.postgresql.cnpg.io"):
            kubectl.wait_condition("crd", definition, "Established")
        apply(machines.storage())
        # Made and not applied: who applies a node has no say in its status.
        kubectl.run("create", "-f", "-", stdin=yaml.safe_dump_all(machines.nodes()))
        processes.start(_kwok())
        kubectl.run("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")
        yield plane
    finally:
        clear()


def clear() -> None:
    """End the processes of this run, or of one that was killed, and remove its files."""
    if paths.CLUSTER_NAME == "primetrade":
        raise RuntimeError("this would take the local cluster away: `make scale` sets XDG_STATE_HOME")
    processes.stop(processes.running())
    shutil.rmtree(paths.STATE, ignore_errors=True)


def bring_up() -> None:
    """Run `pulumi up`, then make the pods that an operator would have made."""
    environment.prepare()
    pulumi.run("stack", "select", "--create", STACK)
    pulumi.run("up", "--yes", "--skip-preview", "--config-file", str(_configuration()), stack=STACK)
    [cluster], poolers = (_live(f"{kind}.postgresql.cnpg.io") for kind in ("clusters", "poolers"))
    wanted = machines.operator_pods(cluster, poolers)
    apply({**part, "metadata": {**part["metadata"], "namespace": NAMESPACE}} for part in wanted)
    for part in wanted:
        name = f"{part['kind'].lower()}/{part['metadata']['name']}"
        kubectl.run("--namespace", NAMESPACE, "rollout", "status", name, "--timeout=60s")
    deployment.wait_until_scaled(Place(NAMESPACE))


def _configuration() -> Path:
    """Write the stack's configuration without the look at operators, of which only the definitions are simulated."""
    content = yaml.safe_load((paths.ROOT / f"Pulumi.{STACK}.yaml").read_text())
    content["config"]["task-manager:check_prerequisites"] = "false"
    return write(paths.CONFIG / f"Pulumi.{STACK}.yaml", yaml.safe_dump(content))


def _live(kind: str) -> list[Object]:
    found: list[Object] = json.loads(kubectl.run("--namespace", NAMESPACE, "get", kind, "-o", "json"))["items"]
    return found


def serve_metrics(plane: ControlPlane, prometheus: str) -> None:
    """Have prometheus-adapter answer the autoscalers, by the rules that any cluster is given, from a Prometheus."""
    at = metrics.AdapterEndpoints("127.0.0.1", free_port(), plane.url, prometheus)
    processes.start(metrics.adapter(at))
    authority = base64.b64encode(key_pair(CLUSTER_CA).certificate.read_bytes()).decode()
    rendered = kubectl.render("metrics", adapter_port=at.port, api_address=at.address, ca_bundle=authority)
    apply(_by_name(wanted, at.port) for wanted in yaml.safe_load_all(rendered) if wanted["kind"] != "EndpointSlice")
    for served in ("v1beta1.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io"):
        kubectl.wait_condition("apiservice", served, "Available")


def _by_name(wanted: Object, port: int) -> Object:
    """The same object for an adapter on the loopback: an EndpointSlice takes no such address, a name does."""
    if wanted["kind"] == "Service":
        wanted["spec"] = {"type": "ExternalName", "externalName": "localhost"}
    if wanted["kind"] == "APIService":
        wanted["spec"]["service"]["port"] = port
    return wanted
