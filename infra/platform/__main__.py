"""The platform of a cluster: connect to it, and install the add-ons."""

import json
import sys
from pathlib import Path

# The engine runs this folder as a program; everything in it is the package `infra.platform`.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pulumi
import pulumi_kubernetes as kubernetes

from infra.platform.addons import AddonSettings, install
from infra.platform.clusters.base import ConnectedCluster


def main() -> None:
    """Register every resource of the platform."""
    settings = AddonSettings.model_validate(json.loads(pulumi.Config().get("addons") or "{}"))
    cluster = ConnectedCluster(provider=kubernetes.Provider("cluster"), kubeconfig=None, cloud="provided")
    for name, value in install(settings, cluster).outputs.items():
        pulumi.export(name, value)


main()
