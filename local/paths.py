"""Directories and files of the project, its caches and its state.

What is under `CACHE` can be made again; what is under `STATE` is the running system's.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANIFESTS = ROOT / "local" / "cluster" / "manifests"
TOOLS = ROOT / "local" / "tools"
PLUGINS = ROOT / "local" / "plugins"
BINARY_REQUIREMENTS = ROOT / "requirements" / "binaries.txt"


def _base(variable: str, fallback: str) -> Path:
    """Return a directory of the XDG base directory specification; relative values are ignored, as it demands."""
    value = Path(os.environ.get(variable, ""))
    return (value if value.is_absolute() else Path.home() / fallback) / "primetrade"


CACHE = _base("XDG_CACHE_HOME", ".cache")
STATE = _base("XDG_STATE_HOME", ".local/state")

# A cluster elsewhere than at the usual place has a name of its own, so that none takes another's containers for its.
_USUAL = Path.home() / ".local/state/primetrade" == STATE
CLUSTER_NAME = "primetrade" if _USUAL else f"primetrade-{hashlib.sha256(bytes(STATE)).hexdigest()[:8]}"

BINARIES = CACHE / "bin"
ON_PATH = CACHE / "path"
IMAGES = CACHE / "images"
BUILD_STORE = CACHE / "buildah"

CLUSTER = STATE / "cluster"
KUBECONFIG = CLUSTER / "kubeconfig"
CERTIFICATES = CLUSTER / "certificates"
CONFIG = CLUSTER / "config"
LOGS = CLUSTER / "logs"
ETCD = CLUSTER / "etcd"
VOLUMES = CLUSTER / "volumes"
ORIGINAL_SETTINGS = CLUSTER / "host-before.json"
CLUSTER_RECORD = CLUSTER / "complete.json"
API_IMAGE = CLUSTER / "image"


def external_kubeconfig() -> str | None:
    """Return KUBECONFIG where it names a cluster that is not ours."""
    named = os.environ.get("KUBECONFIG", "")
    return named if named and Path(named).absolute() != KUBECONFIG else None


# Pulumi's state lives as long as the cluster that it describes; another cluster's is kept apart, and `down` leaves it.
OWN_PULUMI = STATE / "pulumi"
PULUMI = STATE / "pulumi-elsewhere" if external_kubeconfig() else OWN_PULUMI
