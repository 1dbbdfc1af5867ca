"""Two versions of a service of phase 4 side by side, as during its update: the former one is built from the history."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.account import Account
from tests.e2e.faults import COMPONENT, wait_until_ready
from tests.e2e.images import current_image
from tests.e2e.load import steady_load
from tests.e2e.system import ROOT, System, in_shell, run, wait_for
from tests.e2e.test_services import PATHS, SERVICES, selector

pytestmark = [pytest.mark.phases(4), pytest.mark.late]

FORMER = os.environ.get("FORMER_VERSION", "HEAD~40")
"""Commit of the version that runs beside this one."""

RATE = 20
TRACK = "version"
"""Label of the pods of the former version, which the Services do not ask for."""


@pytest.fixture(scope="module")
def former_image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image of the former version, on the nodes. The one that `make up` runs stays this version's."""
    tree = tmp_path_factory.mktemp("former") / "tree"
    load = f"{ROOT / '.venv/infra/bin/python'} -m local load-image --build"
    run("git", "worktree", "add", "--detach", str(tree), FORMER).ok()
    try:
        former = in_shell("sh", "-c", f"cd {tree} && {load}").ok().split()[-1]
    finally:
        in_shell("sh", "-c", load).ok()
        run("git", "worktree", "remove", "--force", str(tree)).ok()
    assert former != current_image()
    return former


def former_deployment(deployment: dict[str, Any], image: str) -> dict[str, Any]:
    """Return a Deployment of one pod of another image, which the same Services lead to."""
    name, spec = f"{deployment['metadata']['name']}-former", copy.deepcopy(deployment["spec"])
    template = spec["template"]
    spec["replicas"] = 1
    for labels in (spec["selector"]["matchLabels"], template["metadata"]["labels"]):
        labels[TRACK] = "former"
    for container in [*template["spec"]["containers"], *template["spec"].get("initContainers", [])]:
        container["image"] = image
    metadata = {"name": name, "labels": {TRACK: "former"}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


@contextmanager
def former_version_beside(system: System, service: str, image: str, directory: Path) -> Iterator[None]:
    """Run the former version of all pods of a service, beside those that are there."""
    deployments = system.get("deployments", "--selector", selector(service))
    manifests = directory / f"{service}.json"
    items = [former_deployment(each, image) for each in deployments]
    manifests.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    system.kubectl("apply", "--filename", str(manifests)).ok()
    try:
        wait_until_ready(system)
        yield
    finally:
        system.kubectl("delete", "--filename", str(manifests)).ok()


def requests_of(system: System, service: str, track: str) -> int:
    """Return how many requests of the API the servers of one version of a service have answered."""
    labels = f"{selector(service)},{COMPONENT}=api,{TRACK}{'=former' if track == 'former' else '!=former'}"
    said = system.kubectl("logs", "--selector", labels, "--container", "api", "--tail=-1").ok()
    return sum('"event":"request"' in line for line in said.splitlines())


def test_contracts_of_the_former_version_are_kept() -> None:
    said = run(".venv/app/bin/python", "-m", "app", "contracts", "compare", FORMER)
    assert said.code == 0, said.text


@pytest.mark.parametrize("service", SERVICES)
def test_a_former_and_this_version_of_a_service_serve_side_by_side(
    system: System, account: Account, former_image: str, tmp_path: Path, artefacts: Path, service: str
) -> None:
    wait_until_ready(system)
    before = requests_of(system, service, "this")
    targets = [f"{system.api}{path}" for path in PATHS.values()]
    journey = (
        "tests/e2e/test_journey.py",
        "tests/e2e/test_services.py",
        "-k",
        "test_journey or test_services and (known or erased or ended)",
    )
    with (
        former_version_beside(system, service, former_image, tmp_path),
        steady_load(tmp_path, targets, account.token, rate=RATE, tasks=f"{system.api}/tasks") as load,
    ):
        wait_for("both versions serve", lambda: requests_of(system, service, "former"), every=2)
        outcome = run(".venv/app/bin/pytest", "-q", *journey, "--phase", str(system.phase), timeout=900)
        former, this = requests_of(system, service, "former"), requests_of(system, service, "this") - before
    row = {
        "service": service,
        "by the former": former,
        "by this": this,
        "requests": load.requests,
        "failed": load.failures,
    }
    (artefacts / f"versions-{service}.json").write_text(json.dumps(row) + "\n")
    assert outcome.code == 0, outcome.text
    assert former > 0
    assert this > 0
    assert load.failures == 0, load.causes
    stored = load.stored_tasks(system)
    assert (stored.lost, stored.twice) == (0, 0), stored
