"""The state of the cluster's parts."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console

from local import paths
from local.cluster import control_plane, kubectl
from local.cluster.nodes import nodes
from local.cluster.record import load_record
from local.errors import LocalError
from local.host import processes
from local.tools import environment


@dataclass(frozen=True)
class Status:
    """What was seen.

    Attributes:
        cluster: `up`, `unfinished` (a run was killed), `down`, `not answering`, or `elsewhere` (KUBECONFIG).
        processes: name of each process and its id, 0 where it is missing.
        nodes: name of each node and whether it is ready.
        deployments: `namespace/name` of each add-on's Deployment and its ready and wanted pods.
    """

    cluster: str
    kubeconfig: str
    processes: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, bool] = field(default_factory=dict)
    deployments: dict[str, tuple[int, int]] = field(default_factory=dict)
    image: str = ""

    @property
    def healthy(self) -> bool:
        """Whether every part that should be there is and works."""
        return (
            self.cluster in {"up", "elsewhere"}
            and all(self.processes.values())
            and all(self.nodes.values())
            and all(ready >= wanted for ready, wanted in self.deployments.values())
        )

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "well": self.healthy}


def expected_processes(node_count: int, addons: Collection[str]) -> list[str]:
    """Return the names of the processes that a cluster with these add-ons is made of."""
    plane = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    agents = [
        f"{agent}-{node.number}" for node in nodes(node_count) for agent in ("containerd", "kubelet", "kube-proxy")
    ]
    metrics = ["prometheus", "prometheus-adapter"] if "metrics" in addons else []
    return [*plane, *agents, "volumes", *metrics]


def collect() -> Status:
    """Look at the processes and ask the API server."""
    external = paths.external_kubeconfig()
    if external:
        return Status("elsewhere", external)
    known = load_record()
    if known is None:
        return Status("unfinished" if paths.CLUSTER.exists() else "down", str(paths.KUBECONFIG))
    live = {process.name: process.pid for process in processes.session_leaders()}
    seen = {name: live.get(name, 0) for name in expected_processes(known.nodes, known.addons)}
    image = paths.API_IMAGE.read_text().strip() if paths.API_IMAGE.exists() else ""
    if not control_plane.is_ready():
        return Status("not answering", str(paths.KUBECONFIG), seen, image=image)
    try:
        found_nodes = json.loads(kubectl.run("get", "nodes", "-o", "json"))["items"]
        found = json.loads(kubectl.run("get", "deployments", "--all-namespaces", "-o", "json"))["items"]
    except LocalError:
        return Status("not answering", str(paths.KUBECONFIG), seen, image=image)
    ready = {
        entry["metadata"]["name"]: any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in entry["status"]["conditions"]
        )
        for entry in found_nodes
    }
    deployments = {
        f"{entry['metadata']['namespace']}/{entry['metadata']['name']}": (
            entry["status"].get("readyReplicas", 0),
            entry["spec"]["replicas"],
        )
        for entry in found
    }
    return Status("up", str(paths.KUBECONFIG), seen, ready, deployments, image)


def show(status: Status) -> None:
    """Print what was seen, one line a part."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"cluster      {status.cluster}")
    if status.cluster == "elsewhere":
        console.print(f"kubeconfig   {status.kubeconfig}")
        return
    for name, is_ready in status.nodes.items():
        console.print(f"node         {name}: {'ready' if is_ready else '[red]not ready[/]'}")
    missing = [name for name, pid in status.processes.items() if not pid]
    if status.processes:
        gone = f"[red]missing: {', '.join(missing)}[/]" if missing else "all there"
        console.print(f"processes    {len(status.processes) - len(missing)} of {len(status.processes)}, {gone}")
    for name, (ready, wanted) in status.deployments.items():
        mark = "" if ready >= wanted else "[red]"
        console.print(f"deployment   {mark}{name}: {ready} of {wanted} pods ready")
    if status.image:
        console.print(f"image        {status.image}")
    if missing or status.cluster == "not answering":
        console.print(f"             `make up` starts what is missing; logs are in {paths.LOGS}")
    if environment.uses_stand_in_plugins() and status.cluster == "up":
        console.print("pulumi       with the stand-in plugins of local/plugins")
