"""The platform on one screen: read the settings, make or find the cluster, install the add-ons."""

import os
import sys
from pathlib import Path

# The engine runs this folder as a program; everything in it is the namespace package `infra.platform`.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pulumi

from infra.platform import outputs
from infra.platform.addons import install
from infra.platform.clusters.connect import connect_cluster
from infra.platform.credentials import missing_credentials
from infra.platform.settings import load_settings


def main() -> None:
    """Register every resource of the stack."""
    config = pulumi.runtime.config
    secret = frozenset(filter(config.is_config_secret, config.CONFIG.get()))
    settings = load_settings(config.CONFIG.get(), secret)
    if problem := missing_credentials(settings, os.environ, Path.home()):
        raise pulumi.RunError(problem)
    cluster = connect_cluster(settings, f"task-manager-{pulumi.get_stack()}")
    addons = install(settings.addons, cluster)
    for name, value in outputs.outputs(settings, cluster, addons.outputs).items():
        pulumi.export(name, value)


main()
