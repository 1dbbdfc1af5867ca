"""The steps of the deploy workflow, one after another, each by its make target, with a registry of our own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.images import catalogue
from tests.e2e.registry import Registry, registry
from tests.e2e.system import System, in_shell, run

pytestmark = pytest.mark.phases(1)


@pytest.fixture
def images(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path) as running:
        yield running


@pytest.fixture
def variables(system: System) -> Iterator[dict[str, str]]:
    """What the environment of a runner holds; the stack is the user's again afterwards."""
    shell = in_shell("sh", "-c", 'printf "%s\\n" "$KUBECONFIG" "$PULUMI_BACKEND_URL"').ok().splitlines()
    kubeconfig, backend = shell
    yield {
        "STACK": system.stack,
        "KUBECONFIG_BASE64": base64.b64encode(Path(kubeconfig).read_bytes()).decode(),
        "PULUMI_BACKEND_URL": backend,
        "PULUMI_CONFIG_PASSPHRASE": "",
    }
    run("make", "up", f"PHASE={system.phase}").ok()


def names(system: System) -> list[str]:
    return [pod["metadata"]["name"] for pod in system.api_pods()]


def test_what_is_published_is_previewed_deployed_and_answers(
    system: System, images: Registry, variables: dict[str, str], tmp_path: Path
) -> None:
    repository = f"{images.address}/task-manager"
    given = (f"REPOSITORY={repository}", f"BASE_IMAGE={catalogue.BASE_IMAGE}", "INSECURE=1")
    published = run("make", "--silent", "publish", *given, env=images.environment).ok()
    image = published.splitlines()[-1]
    assert image.startswith(f"{repository}@sha256:")

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    promoted = run("make", "--silent", "promote", f"IMAGE={image}").ok().strip()
    pipeline = {**variables, "IMAGE": promoted, "TMPDIR": str(scratch)}
    before = names(system)
    assert image in run("make", "preview", env=pipeline).ok()
    assert names(system) == before

    run("make", "deploy", env=pipeline).ok()
    assert [pod["spec"]["containers"][0]["image"] for pod in system.api_pods()] == [image]
    run("make", "smoke", env=pipeline).ok()
    assert [path for path in scratch.glob("tmp.*") if path.is_file()] == [], "no kubeconfig is left"


def test_another_machine_sees_no_change_and_finds_the_address(variables: dict[str, str], tmp_path: Path) -> None:
    kubeconfig = tmp_path / "elsewhere"
    kubeconfig.write_bytes(base64.b64decode(variables.pop("KUBECONFIG_BASE64")))
    machine = {**variables, "KUBECONFIG": str(kubeconfig)}
    shown = run("make", "preview", env=machine).ok()
    assert "unchanged" in shown
    assert " to " not in shown.rpartition("Resources:")[2], "nothing to create, update, replace or delete"
    address = run("make", "--silent", "url", env=machine).ok().strip()
    assert httpx.get(f"{address}/health/ready", timeout=10).status_code == 200
