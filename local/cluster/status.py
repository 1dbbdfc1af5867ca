"""The state of the cluster's parts."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console

from local import paths
from local.cluster import control_plane, kubectl
from local.cluster.nodes import nodes
from local.cluster.record import Record, load_record
from local.errors import LocalError
from local.host import lock, processes
from local.tools import environment


@dataclass(frozen=True)
class Status:
    """What was seen.

    Attributes:
        cluster: `up`, `kind` (up, made with kind), `unfinished` (a run was killed), `down`, `not answering`, or
            `elsewhere` (KUBECONFIG).
        processes: name of each process and its id, 0 where it is missing.
        nodes: name of each node and whether it is ready.
        deployments: `namespace/name` of each add-on's Deployment and its ready and wanted pods.
        deferred: add-ons that come after the stack, and how far that is; the stack answers without them.
    """

    cluster: str
    kubeconfig: str
    processes: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, bool] = field(default_factory=dict)
    deployments: dict[str, tuple[int, int]] = field(default_factory=dict)
    image: str = ""
    deferred: dict[str, str] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether every part that should be there is and works."""
        return (
            self.cluster in {"up", "kind", "elsewhere"}
            and all(self.processes.values())
            and all(self.nodes.values())
            and all(ready >= wanted for ready, wanted in self.deployments.values())
        )

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "well": self.healthy}


def expected_processes(known: Record) -> list[str]:
    """Return the names of the processes that a cluster with its add-ons is made of."""
    plane = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    agents = [
        f"{agent}-{node.number}" for node in nodes(known.nodes) for agent in ("containerd", "kubelet", "kube-proxy")
    ]
    metrics = ["prometheus", "prometheus-adapter"] if "metrics" in known.addons else []
    return [*plane, *agents, "volumes", *metrics]


def deferred_parts(known: Record, builder: int | None, now: float) -> dict[str, str]:
    """Return how far the deferred add-ons are.

    Args:
        builder: id of the process that changes the cluster at this moment, if there is one.
        now: seconds since the epoch.
    """
    if builder is None:
        return dict.fromkeys(known.deferred, "not there yet: `make up` brings it")
    if not known.deferred_since:
        return dict.fromkeys(known.deferred, f"comes after the stack (process {builder})")
    state = f"being built, since {max(0.0, now - known.deferred_since):.0f} s (process {builder})"
    return dict.fromkeys(known.deferred, state)


def collect() -> Status:
    """Look at the processes and ask the API server."""
    external = paths.external_kubeconfig()
    if external:
        return Status("elsewhere", external)
    image = paths.image_record().read_text().strip() if paths.image_record().exists() else ""
    if paths.uses_kind():
        return _ask("kind", {}, {}, image)
    known = load_record()
    if known is None:
        return Status("unfinished" if paths.CLUSTER.exists() else "down", str(paths.KUBECONFIG))
    live = {process.name: process.pid for process in processes.session_leaders()}
    seen = {name: live.get(name, 0) for name in expected_processes(known)}
    if not control_plane.is_ready():
        return Status("not answering", str(paths.KUBECONFIG), seen, image=image)
    return _ask("up", seen, deferred_parts(known, lock.holder(), time.time()), image)


def _ask(cluster: str, seen: dict[str, int], deferred: dict[str, str], image: str) -> Status:
    """Ask the API server for nodes and Deployments."""
    kubeconfig = str(paths.own_kubeconfig())
    try:
        found_nodes = json.loads(kubectl.run("get", "nodes", "-o", "json"))["items"]
        found = json.loads(kubectl.run("get", "deployments", "--all-namespaces", "-o", "json"))["items"]
    except LocalError:
        return Status("not answering", kubeconfig, seen, image=image)
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
    return Status(cluster, kubeconfig, seen, ready, deployments, image, deferred)


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
    for name, state in status.deferred.items():
        console.print(f"{name:<12} {state}")
    if status.image:
        console.print(f"image        {status.image}")
    if status.cluster == "not answering" and paths.uses_kind():
        console.print(
            "             `docker ps --all` shows its nodes; `make down` and `make up CLUSTER=kind` begin anew"
        )
    elif missing or status.cluster == "not answering":
        console.print(f"             `make up` starts what is missing; logs are in {paths.LOGS}")
    if environment.uses_stand_in_plugins() and status.cluster in {"up", "kind"}:
        console.print("pulumi       with the stand-in plugins of local/plugins")
