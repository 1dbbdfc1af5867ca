"""Checks before a cluster is made with kind; each failure is one line that says what to do."""

from __future__ import annotations

import re
import shutil
import socket

from local import paths
from local.cluster.record import load_record
from local.errors import LocalError
from local.host.commands import run
from local.kind.config import KindConfig
from local.tools.go_tools import version

# Older ones can't load images into nodes of containerd 2 (github.com/kubernetes-sigs/kind/issues/3853, January 2025).
LEAST_VERSION = "0.27"
HINT = "Docker and kind are here: `make up CLUSTER=kind` takes minutes, building Kubernetes about twelve"


def is_installed() -> bool:
    """Tell whether this machine has the programs."""
    return all(shutil.which(name) for name in ("docker", "kind"))


def check_programs() -> None:
    """Raise LocalError unless Docker answers and kind is there, and new enough."""
    for name, where in (("docker", "https://docs.docker.com/engine/install"), ("kind", "https://kind.sigs.k8s.io")):
        if shutil.which(name) is None:
            raise LocalError(f"CLUSTER=kind needs {name}: install it ({where}), or run `make up` without CLUSTER")
    try:
        run("docker", "version", "--format", "{{.Server.Version}}", timeout=30)
    except LocalError as error:
        reason = str(error).rpartition("failed: ")[2]
        raise LocalError(f"Docker does not answer: start it, or join its group ({reason})") from error
    printed = run("kind", "version")
    found = re.search(r"v(\d+(?:\.\d+)+)", printed)
    if found is None or version(found.group(1)) < version(LEAST_VERSION):
        raise LocalError(f"{printed.strip()} is too old: {LEAST_VERSION} or newer is needed")


def check_no_local_cluster() -> None:
    """Raise LocalError where the cluster that `make up` builds itself is up: both serve the same ports."""
    if load_record() is not None or paths.CLUSTER.exists():
        raise LocalError("the local cluster is up and serves the same ports: `make down` first")


def check_ports(config: KindConfig) -> None:
    """Raise LocalError with the ports that the configuration maps and something else listens on."""
    taken = [str(port) for port in config.ports if _is_taken(port)]
    if taken:
        raise LocalError(f"ports in use that {config.file.name} maps: {', '.join(taken)}; stop what listens on them")


def _is_taken(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
