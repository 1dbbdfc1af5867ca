"""From Docker to a running stack: cluster, platform, image, environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from local import paths
from local.kind import cluster, config, image, preflight
from local.progress import Progress
from local.stack import pulumi
from local.tools import environment, go_tools

PLATFORM = paths.ROOT / "infra" / "platform"
PLATFORM_STACK = "kind"
PLATFORM_PACKAGES = paths.ROOT / ".venv" / "platform"  # as its Pulumi.yaml has it


def up(phase: int, config_file: Path, network: str, progress: Progress, serve: Callable[[], None] | None) -> None:
    """Bring a cluster up with kind, what the phase stands on, and the stack; what is there already is kept.

    Args:
        config_file: configuration that the cluster is made from.
        network: manifest of a pod network, for a configuration without kind's own.
        serve: brings the stack up; without it the cluster alone is made.

    Raises:
        LocalError: what is missing or went wrong.
    """
    preflight.check_no_local_cluster()
    preflight.check_programs()
    cluster.ensure(config.load(config_file), network, progress)
    if environment.installed_pulumi() is None:
        if not go_tools.find("pulumi").directory.is_dir():
            progress.note("there is no pulumi on PATH: building it takes about 5 minutes (pulumi.com/docs/install)")
        with progress.step("pulumi"):
            go_tools.build("pulumi")
    environment.link_programs()
    if serve is None:
        return
    with progress.step("application image"):
        reference = image.build()
    with progress.step("image on the nodes"):
        image.load(reference)
    with progress.paused():
        if phase > 1:  # phase 1 stands on nothing but Kubernetes
            bring_platform()
        serve()


def bring_platform() -> None:
    """Bring what the phases from 2 on stand on: gateway, operators, metrics."""
    environment.prepare()
    if not PLATFORM_PACKAGES.is_dir():
        pulumi.run("install", directory=PLATFORM)
    pulumi.select(PLATFORM_STACK, directory=PLATFORM)
    pulumi.run("up", "--yes", "--skip-preview", stack=PLATFORM_STACK, directory=PLATFORM)
