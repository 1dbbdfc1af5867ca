"""Checks of the machine before a cluster is made; each failure is one line that says what to do."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from pathlib import Path

import psutil

from local import paths
from local.cluster import network
from local.cluster.metrics import ADAPTER_PORT, PROMETHEUS_PORT
from local.cluster.nodes import API_PORT
from local.errors import LocalError
from local.host import cgroups, processes

PORTS = {
    API_PORT: "the API server",
    2379: "etcd",
    2380: "etcd",
    10248: "the kubelet",
    10249: "kube-proxy",
    10250: "the kubelet",
    10256: "kube-proxy",
    10257: "the controller manager",
    10259: "the scheduler",
    PROMETHEUS_PORT: "Prometheus",
    ADAPTER_PORT: "the metrics adapter",
    30080: "the application (phase 1)",
    30090: "the gateway, http (phase 2)",
    30091: "the gateway, http (phase 3)",
    30092: "the gateway, http (phase 4)",
    30443: "the gateway, https (phase 2)",
    30444: "the gateway, https (phase 3)",
    30445: "the gateway, https (phase 4)",
}
RECHECK_SECONDS = 0.3
GIGABYTE = 1_000_000_000
# Seen: 5 GB of Go modules, 7 GB of Go's build cache and 5 GB of programs and images after the first build; 4 GB of a
# running phase 2.
BUILD_BYTES = 16 * GIGABYTE
CLUSTER_BYTES = 5 * GIGABYTE
MARGIN_BYTES = 1 * GIGABYTE
# What pods request in a rollout, since no more is scheduled; each of phase 3's nodes has the machine's whole memory.
MEMORY_BYTES = {1: 2 * GIGABYTE, 2: 5.5 * GIGABYTE, 3: 6 * GIGABYTE, 4: 12 * GIGABYTE}


def check_root() -> None:
    """Raise LocalError unless this is root on Linux."""
    if sys.platform != "linux":
        raise LocalError("the local cluster needs Linux: set KUBECONFIG to use a cluster elsewhere")
    if os.geteuid() != 0:
        raise LocalError("the local cluster needs root: run as root, or set KUBECONFIG to use a cluster elsewhere")
    if platform.machine() != "x86_64":
        raise LocalError(f"the local cluster is made for x86_64, not {platform.machine()}: set KUBECONFIG instead")


def check_machine(phase: int) -> None:
    """Raise LocalError when something that the cluster needs is missing or in use."""
    check_root()
    absent = cgroups.missing()
    if absent:
        raise LocalError(
            f"control groups are missing ({', '.join(absent)} in {cgroups.ROOT}): mount them, or set KUBECONFIG"
        )
    taken = ports_in_use()
    if taken:
        raise LocalError("; ".join(taken) + ": stop what holds it")
    check_disk()
    clash = network.overlapping_route()
    if clash:
        raise LocalError(f"the route {clash} covers addresses that the cluster uses: remove it, or set KUBECONFIG")
    available = psutil.virtual_memory().available
    wanted = MEMORY_BYTES[phase]
    if not processes.running() and available < wanted:
        raise LocalError(
            f"{available / GIGABYTE:.1f} GB of memory are available and {wanted / GIGABYTE:g} GB are needed"
        )


def ports_in_use() -> list[str]:
    """Return a line for each port of the cluster that a process of someone else listens on."""
    holders = listeners()
    if None in holders.values():
        time.sleep(RECHECK_SECONDS)
        holders = listeners()
    # Asked after the ports: one of ours that has begun to listen meanwhile is known by now.
    ours = {process.pid for process in processes.running()}
    return [
        f"port {port}, for {PORTS[port]}, is in use by {_holder(pid)}"
        for port, pid in sorted(holders.items())
        if pid not in ours
    ]


def listeners() -> dict[int, int | None]:
    """Return the ports of the cluster that are listened on, each with its process.

    The process is None when it can't be seen from here, or when it has begun to listen while this looked.
    """
    return {
        connection.laddr.port: connection.pid
        for connection in psutil.net_connections(kind="tcp")
        if connection.laddr and connection.status == psutil.CONN_LISTEN and connection.laddr.port in PORTS
    }


def _holder(pid: int | None) -> str:
    if pid is None:
        return "a process that can't be seen from here"
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.NoSuchProcess:
        return f"process {pid}"


def check_disk() -> None:
    """Raise LocalError when a disk is too small for what is still to be put on it."""
    built, made = any(paths.BINARIES.glob("kubernetes-*")), paths.CLUSTER_RECORD.exists()
    places = (
        (paths.CACHE, "XDG_CACHE_HOME", "builds and images", MARGIN_BYTES if built else BUILD_BYTES),
        (paths.STATE, "XDG_STATE_HOME", "the cluster", MARGIN_BYTES if made else CLUSTER_BYTES),
    )
    for directory, variable, what, need in places:
        free = shutil.disk_usage(_existing(directory)).free
        if free < need:
            raise LocalError(
                f"{free / GIGABYTE:.1f} GB are free at {directory} and {need / GIGABYTE:.0f} GB are needed for {what}:"
                f" free some, or set {variable} to a larger disk"
            )


def _existing(directory: Path) -> Path:
    while not directory.exists():
        directory = directory.parent
    return directory
