"""`python -m local up`: a cluster built here, one of kind or somebody's own, and the stack of a phase on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from local import paths
from local.cluster import addons, lifecycle
from local.cluster import preflight as local_preflight
from local.cluster.record import load_record
from local.errors import LocalError
from local.host.lock import exclusive
from local.images.catalogue import Image
from local.kind import lifecycle as kind_lifecycle
from local.kind import preflight as kind_preflight
from local.kind.config import DEFAULT as KIND_CONFIG
from local.progress import Progress
from local.stack import deployment, preflight, pulumi, summary
from local.tools import environment, go_tools

PUSH_HINT = (
    "push one to a registry (`make publish REPOSITORY=…`, or `kind load docker-image` for kind)"
    " and set TASK_MANAGER_IMAGE to its reference"
)


LOCAL, KIND = "local", "kind"


def up(
    phase: Annotated[int, typer.Option(help="Bring what this phase stands on.")] = 1,
    nodes: Annotated[int | None, typer.Option(help="Nodes; each further one has a network of its own.")] = None,
    with_: Annotated[str, typer.Option("--with", help="Further add-ons: database,gateway,cache.")] = "",
    image: Annotated[bool, typer.Option(help="Build the application's image and load it.")] = True,
    bare: Annotated[
        bool, typer.Option("--bare", help="Control plane, DNS and volumes alone: infra/platform installs the add-ons.")
    ] = False,
    stack: Annotated[bool, typer.Option("--stack", help="Also bring the phase's stack up.")] = False,
    cluster: Annotated[str, typer.Option(help="local or kind; without it the one there is, else local.")] = "",
    kind_config: Annotated[Path, typer.Option(envvar="KIND_CONFIG", help="Configuration of kind.")] = KIND_CONFIG,
    kind_network: Annotated[str, typer.Option(envvar="KIND_CNI", help="Manifest of a pod network.")] = "",
) -> None:
    """Bring a cluster up, or bring it to what is asked for; a second run adds what is missing."""
    if cluster not in {"", LOCAL, KIND}:
        raise LocalError(f"CLUSTER={cluster} is unknown: it is {LOCAL} or {KIND}, or set KUBECONFIG to one of your own")
    wanted = tuple(dict.fromkeys([*addons.of_phase(phase), *addons.named(with_)]))
    progress = Progress()
    serve = (lambda: bring_stack_up(phase)) if stack else None
    external = paths.external_kubeconfig()
    if external:
        if cluster:
            raise LocalError(f"CLUSTER={cluster} and KUBECONFIG={external} are two clusters: unset one of them")
        use_external(external, progress)
        if serve:
            serve()
    elif cluster == KIND or (not cluster and paths.uses_kind()):
        if nodes is not None:
            raise LocalError("NODES is of the local cluster: with kind the file that KIND_CONFIG names has the nodes")
        with exclusive(), progress.shown():
            kind_lifecycle.up(phase, kind_config, kind_network, progress, serve)
    elif paths.uses_kind():
        raise LocalError("a kind cluster is up and serves the same ports: `make down` first")
    else:
        local_preflight.check_root()
        if not cluster and not go_tools.find("kubernetes").directory.is_dir() and kind_preflight.is_installed():
            progress.note(kind_preflight.HINT)
        images: tuple[Image, ...] = ()
        if bare:
            wanted, images = _bare(wanted)
        with exclusive(), progress.shown():
            lifecycle.up(phase, nodes, wanted, progress, with_image=image, images=images, serve=serve)


def _bare(wanted: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Image, ...]]:
    """Return the add-ons and images of a bare cluster; raise LocalError where the one there is has others already."""
    known = load_record()
    if known and (present := [name for name in known.addons if name not in addons.BARE]):
        raise LocalError(f"the cluster has add-ons already ({', '.join(present)}): `make down` first")
    return addons.bare(wanted)


def bring_stack_up(phase: int) -> None:
    """Run `pulumi up` for the stack of a phase, and say how to use it."""
    name = f"phase{phase}"
    environment.prepare()
    pulumi.select(name)
    preflight.prepare(name, sys.stdout)
    summary.show(name, deployment.up(name), Console(highlight=False))


def use_external(kubeconfig: str, progress: Progress) -> None:
    """Prepare for a cluster that somebody else runs: the programs are brought, the cluster is left as it is."""
    if not all(Path(part).is_file() for part in kubeconfig.split(os.pathsep)):
        raise LocalError(f"KUBECONFIG={kubeconfig}: no such file; unset it to have a local cluster made")
    progress.note(f"using the cluster of KUBECONFIG={kubeconfig}; none is made here")
    if not os.environ.get("TASK_MANAGER_IMAGE"):
        progress.note(f"its nodes pull the image: {PUSH_HINT}")
    with exclusive(), progress.shown():
        if environment.installed_pulumi() is None and not go_tools.find("pulumi").directory.is_dir():
            with progress.step("build pulumi"):
                go_tools.build("pulumi")
        environment.link_programs()
