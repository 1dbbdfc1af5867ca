"""The real engine brings a stack up on a cluster that lacks what it stands on: one line for each part, nothing made."""

import json

import yaml

from local import paths
from tests.plugins.live.project import STACK, Project


def environment_of_phase(project: Project, phase: int) -> None:
    """Have the project run the program of this repository, with the configuration of an example stack."""
    declared = yaml.safe_load((paths.ROOT / "Pulumi.yaml").read_text())
    sample = yaml.safe_load((project.folder / "Pulumi.yaml").read_text())
    declared.update(name="task-manager", main=str(paths.ROOT / "infra"), runtime=sample["runtime"])
    (project.folder / "Pulumi.yaml").write_text(yaml.safe_dump(declared))
    example = (paths.ROOT / f"Pulumi.phase{phase}.yaml").read_text()
    (project.folder / f"Pulumi.{STACK}.yaml").write_text(example)
    project.run("stack", "init", STACK).ok()


def test_a_bare_cluster_is_refused_with_a_line_for_each_part(project: Project) -> None:
    environment_of_phase(project, 3)
    refused = project.up().failed()
    told = [line.strip() for line in refused.splitlines() if line.strip().startswith("error: ")]
    parts = [line.removeprefix("error: ").partition(":")[0] for line in told]
    assert parts == [
        "storage class",
        "CloudNativePG",
        "Barman Cloud plugin",
        "Gateway API",
        "gateway class traefik",
        "Traefik",
        "resource metrics",
        "custom metrics",
    ]
    resources = json.loads(project.state())["deployment"].get("resources", [])
    # Reading the stack's own outputs leaves the engine's built-in provider in the state; it stands for nothing outside.
    assert {each["type"] for each in resources} <= {"pulumi:pulumi:Stack", "pulumi:providers:pulumi"}
