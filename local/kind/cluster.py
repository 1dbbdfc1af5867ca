"""The cluster itself: made from a configuration file, kept while it is there, deleted when it is ours."""

from __future__ import annotations

import json
import shutil

from local import paths
from local.cluster import kubectl
from local.errors import LocalError
from local.host.commands import run
from local.host.files import write_private
from local.kind import preflight
from local.kind.config import KindConfig
from local.progress import Progress

READY_SECONDS = 300


def is_ours() -> bool:
    """Tell whether this project has made a cluster with kind, whole or not."""
    return paths.KIND.exists()


def is_there() -> bool:
    """Tell whether kind knows a cluster of our name."""
    return paths.CLUSTER_NAME in run("kind", "get", "clusters").split()


def ensure(config: KindConfig, network: str, progress: Progress) -> None:
    """Make the cluster unless it is there; what an unfinished run left is removed first.

    Args:
        network: manifest of the pod network, for a configuration that leaves kind's own out.

    Raises:
        LocalError: a cluster of that name is not ours, or is of another configuration; a port is taken; kind's words.
    """
    there = is_there()
    if there and not is_ours():
        raise LocalError(
            f"there is a kind cluster {paths.CLUSTER_NAME} that was not made here: "
            f"`kind delete cluster --name {paths.CLUSTER_NAME}`, if it may go"
        )
    if there and paths.KIND_KUBECONFIG.exists():
        _check_same(config)
        return
    if is_ours():
        with progress.step("remove what is left of a kind cluster"):
            remove()
    if config.has_no_network and not network:
        raise LocalError(f"{config.file.name} has no pod network: KIND_CNI=… names the manifest of one (file or URL)")
    preflight.check_ports(config)
    with progress.step("kind cluster"):
        _make(config, network)


def _check_same(config: KindConfig) -> None:
    made_from = json.loads((paths.KIND / "cluster.json").read_text())["config"]
    if made_from != str(config.file):
        raise LocalError(f"the kind cluster was made from {made_from}: `make down` first")


def _make(config: KindConfig, network: str) -> None:
    # Written before the cluster is made: one that is left half made is known as ours.
    write_private(paths.KIND / "cluster.json", json.dumps({"config": str(config.file)}))
    scratch = paths.KIND / "kubeconfig.kind"  # else kind merges its own into ~/.kube/config
    create = ("create", "cluster", f"--name={paths.CLUSTER_NAME}", f"--config={config.file}")
    run("kind", *create, f"--kubeconfig={scratch}")
    content = run("kind", "get", "kubeconfig", f"--name={paths.CLUSTER_NAME}")
    scratch.unlink(missing_ok=True)
    partial = write_private(paths.KIND / "kubeconfig.new", content)
    if network:
        kubectl.run("apply", "--server-side", f"--filename={network}", kubeconfig=partial)
    timeout = f"--timeout={READY_SECONDS}s"
    kubectl.run("wait", "--for=condition=Ready", "nodes", "--all", timeout, kubeconfig=partial)
    partial.rename(paths.KIND_KUBECONFIG)


def remove() -> None:
    """Delete the cluster, and Pulumi's state of the stacks on it; raise LocalError with kind's words when it can't."""
    run("kind", "delete", "cluster", f"--name={paths.CLUSTER_NAME}")
    shutil.rmtree(paths.KIND)
