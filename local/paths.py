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
ELASTICSEARCH_JARS = ROOT / "requirements" / "elasticsearch.jars"


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


KIND = STATE / "kind"
KIND_KUBECONFIG = KIND / "kubeconfig"
KIND_IMAGE = KIND / "image"


def external_kubeconfig() -> str | None:
    """Return KUBECONFIG where it names a cluster that is not ours."""
    named = os.environ.get("KUBECONFIG", "")
    return named if named and Path(named).absolute() not in {KUBECONFIG, KIND_KUBECONFIG} else None


def uses_kind() -> bool:
    """Tell whether the cluster is the one that was made with kind."""
    return KIND_KUBECONFIG.exists() and external_kubeconfig() is None


def own_kubeconfig() -> Path:
    """Return the kubeconfig of the cluster that was made here."""
    return KIND_KUBECONFIG if uses_kind() else KUBECONFIG


def image_record() -> Path:
    """Return the file that names the application's image on the cluster that was made here."""
    return KIND_IMAGE if uses_kind() else API_IMAGE


# Pulumi's state lives as long as the cluster that it describes; another cluster's is kept apart, and `down` leaves it.
OWN_PULUMI = STATE / "pulumi"
KIND_PULUMI = KIND / "pulumi"


def pulumi_state() -> Path:
    """Return the directory of Pulumi's state for the cluster in use."""
    if external_kubeconfig():
        return STATE / "pulumi-elsewhere"
    return KIND_PULUMI if uses_kind() else OWN_PULUMI
