"""Removal of the cluster and of everything that it left on the machine, from any state."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from local import paths
from local.cluster import firewall, host_paths, network
from local.errors import LocalError
from local.host import cgroups, mounts, processes, settings

NETWORK_RESULTS = Path("/var/lib/cni/results")
CONTAINER_LOGS = Path("/var/log/containers")
SHIM_SOCKETS = Path("/run/containerd/s")
UNIX_SOCKETS = Path("/proc/net/unix")


def is_anything_left() -> bool:
    """Tell whether there is any sign of a cluster of ours, whole or not."""
    seen = (paths.CLUSTER.exists(), processes.running(), network.links(), network.namespaces(), cgroup_exists())
    return any(seen)


def cgroup_exists() -> bool:
    return any((root / cgroups.OURS).is_dir() for root in cgroups.hierarchies())


def remove() -> None:
    """Remove the cluster: processes, containers, mounts, network, packet filter, control groups, settings, files.

    It needs no record to be true and can be run again after being killed at any point. The record of how the machine
    was before goes last.
    """
    end_processes()
    mounts.unmount(paths.CLUSTER)
    mounts.unmount(paths.BUILD_STORE)
    network.clean()
    if shutil.which("iptables"):
        firewall.clean()
    for leftover in [*dead_sockets(), *network_results(), *container_logs()]:
        leftover.unlink(missing_ok=True)
    host_paths.remove_leftovers()
    settings.restore()
    if paths.CLUSTER.exists():
        for entry in paths.CLUSTER.iterdir():
            if entry != paths.ORIGINAL_SETTINGS:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        shutil.rmtree(paths.CLUSTER)


def forget_stacks() -> None:
    """Remove Pulumi's state of the stacks that ran on this cluster, and the demo log-ins with them."""
    shutil.rmtree(paths.OWN_PULUMI, ignore_errors=True)
    for file in paths.STATE.glob("demo-*.json"):
        file.unlink()
    if paths.STATE.exists() and not any(paths.STATE.iterdir()):
        paths.STATE.rmdir()


def end_processes() -> None:
    """End everything at once: the containers with their control groups, the rest by the mark."""
    until = time.monotonic() + 30
    while remaining := processes.running():
        processes.stop(remaining, grace=0)
        if time.monotonic() > until:
            names = ", ".join(f"{process.name} ({process.pid})" for process in remaining)
            raise LocalError(f"processes do not end: {names}")
    cgroups.remove()


def dead_sockets() -> list[Path]:
    """Return the sockets of containers that have ended; all containerds of a machine make them at the same place."""
    listening = {line.split()[-1] for line in UNIX_SOCKETS.read_text().splitlines()}
    return [socket for socket in SHIM_SOCKETS.glob("*") if str(socket) not in listening]


def network_results() -> list[Path]:
    """Return what the network library keeps of our containers: a file for their network and one for their loopback."""
    ours = list(NETWORK_RESULTS.glob("primetrade-*-eth0"))
    containers = [file.name.removeprefix("primetrade-").removesuffix("-eth0") for file in ours]
    return [*ours, *(NETWORK_RESULTS / f"cni-loopback-{container}-lo" for container in containers)]


def container_logs() -> list[Path]:
    """Return the links to our containers' logs, which every kubelet makes at the same place."""
    return [link for link in CONTAINER_LOGS.glob("*.log") if str(paths.CLUSTER) in str(link.readlink())]
