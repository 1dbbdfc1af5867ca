"""The rendered chart, with the program's values. `python -m tests.contract.chart DIR` writes it for the checkers."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.components.workload.chart import CHART, chart_values
from infra.config.image import parse_image
from infra.config.settings import load_settings
from infra.names import ALL, RELEASE, ServiceNames
from infra.phases import PHASES
from local.tools import wheels
from tests.infra.engine import WITHOUT_MESH, as_engine, stack_file
from tests.infra.variants import VARIANTS

Manifest = dict[str, Any]

ROOT = Path(__file__).parents[2]
BY_TAG = "ghcr.io/primetrade/task-manager:local-0123456789ab"
BY_DIGEST = f"ghcr.io/primetrade/task-manager@sha256:{'0123456789abcdef' * 4}"

MAIL = {
    "task-manager:mail.host": "mail.example.com",
    "task-manager:mail.user": "tasks",
    "task-manager:mail.sender": "tasks@example.com",
}

UNMESHED = {**stack_file("phase4"), **{f"task-manager:{key}": value for key, value in WITHOUT_MESH.items()}}

MOVING = VARIANTS["phase4-move"]

# Each stack that differs for the chart: its configuration and its image.
STACKS: dict[str, tuple[dict[str, Any], str]] = {
    "phase1": (stack_file("phase1"), BY_TAG),
    "phase1-postgresql": ({**stack_file("phase1"), "task-manager:database.kind": "postgresql"}, BY_DIGEST),
    "phase2": (stack_file("phase2"), BY_DIGEST),
    "phase3": (stack_file("phase3"), BY_DIGEST),
    "phase2-mail": ({**stack_file("phase2"), **MAIL}, BY_DIGEST),
    "phase2-carrying": (stack_file("phase2"), BY_DIGEST),
    "phase2-round-robin": ({**stack_file("phase2"), "task-manager:gateway.load_balancing": "round-robin"}, BY_TAG),
    **{f"phase4-{service}": (UNMESHED, BY_DIGEST) for service in PHASES[4].services},
    **{f"phase4-moving-{service}": (MOVING.config, BY_DIGEST) for service in ("auth", "tasks")},
    **{f"phase4-mesh-{service}": (stack_file("phase4"), BY_DIGEST) for service in ("auth", "tasks")},
}


class RenderError(Exception):
    """Helm refused the values; the message is Helm's."""


@functools.cache
def helm() -> str:
    """Return the path of helm: the machine's own, else the one that the project brings."""
    return shutil.which("helm") or str(wheels.helm())


def render(values: Mapping[str, Any], namespace: str = "tasks") -> str:
    """Render the chart with these values by `helm template`.

    Raises:
        RenderError: helm refused them.
    """
    release = ServiceNames(values.get("apiService", ALL)).release
    command = [helm(), "template", release, CHART, "--namespace", namespace, "--values", "-"]
    # JSON, as the engine hands values over: whole numbers arrive in helm as floating-point ones.
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(values), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(done.stderr)
    return done.stdout


def manifests(rendered: str) -> list[Manifest]:
    """Return the objects in a rendered chart."""
    return [document for document in yaml.safe_load_all(rendered) if document]


def values_of(stack: str) -> dict[str, Any]:
    """Return the values that the program gives to the chart for one of `STACKS`."""
    config, image = STACKS[stack]
    recorded = MOVING.deployed if "-moving-" in stack else {}
    settings = load_settings(as_engine(config), recorded=recorded)
    service = stack.rpartition("-")[2] if settings.row.split else ALL
    values = chart_values(settings, parse_image(image), service)
    if stack.endswith("-carrying"):
        values["carry"]["assumeClaim"] = True  # no cluster is there to be asked
    return values


def render_stack(stack: str) -> str:
    """Return one of `STACKS`, rendered."""
    return render(values_of(stack), f"{RELEASE}-{stack}")


@functools.cache
def objects(stack: str) -> list[Manifest]:
    """Return the objects of one of `STACKS`: kept, so only to be read."""
    return manifests(render_stack(stack))


def one(found: list[Manifest], kind: str, component: str | None = None) -> Manifest:
    """Return the only object of a kind (that belongs to this component of the release)."""
    [found_one] = [
        manifest
        for manifest in found
        if manifest["kind"] == kind
        and component in (None, manifest["metadata"]["labels"]["app.kubernetes.io/component"])
    ]
    return found_one


def pod_specs(found: list[Manifest]) -> Iterator[tuple[str, Manifest, Manifest]]:
    """Yield the kind, the pod's labels and the pod's specification of everything that makes a pod."""
    for manifest in found:
        if manifest["kind"] == "Pod":
            yield "Pod", manifest["metadata"]["labels"], manifest["spec"]
        elif template := manifest.get("spec", {}).get("template"):
            yield manifest["kind"], template["metadata"]["labels"], template["spec"]


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name in STACKS:
        (directory / f"{name}.yaml").write_text(render_stack(name))
