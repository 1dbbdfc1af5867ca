"""Commands in workflows, README and documents, against the Makefile."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def make_targets(text: str) -> set[str]:
    """Return the first target of each `make …` command in a text."""
    return set(re.findall(r"\bmake ((?!-)[a-z0-9-]+)", text))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_of_a_workflow_is_a_make_target(workflow: Path) -> None:
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job.get("steps", []) if "run" in step]
    assert commands
    for command in commands:
        assert make_targets(command), f"{workflow.name}: no make target in `{command}`"
        assert make_targets(command) <= TARGETS, f"{workflow.name}: `{command}` names a target that is not there"


@pytest.mark.parametrize("workflow", [*WORKFLOWS, *ACTIONS], ids=lambda path: path.name)
def test_actions_of_others_are_pinned_by_digest_with_their_version(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text())
    assert used
    others = [each for each in used if not {(ROOT / each).is_file(), (ROOT / each / "action.yml").is_file()} & {True}]
    assert [action for action in others if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_make_commands_of_a_document_exist(document: Path) -> None:
    commands = re.findall(r"(?:`|^\$ |^)(make [^`\n]+)", document.read_text(), re.MULTILINE)
    assert make_targets("\n".join(commands)) <= TARGETS


def test_each_fault_of_the_operations_page_names_its_tests_and_each_test_of_a_fault_is_named() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    [_, section] = page.split("## When something is away\n")
    rows = re.findall(r"^\| (?!what |---)(.+) \|$", section.partition("\n## ")[0], re.MULTILINE)
    named = {row: re.findall(r"`([^`]+)`", row.rpartition("|")[2]) for row in rows}
    assert [row for row, tests in named.items() if not tests] == []
    tests = set().union(*named.values())
    assert {test for test in tests if not (ROOT / test).is_file()} == set()
    assert {str(test.relative_to(ROOT)) for test in (ROOT / "tests" / "faults").glob("test_*.py")} <= tests


def test_help_lists_every_target() -> None:
    helped = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[0] for line in helped.splitlines()} == TARGETS
    phony = set(re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert phony == TARGETS


def test_the_landing_check_calls_the_tests_that_the_pipeline_calls() -> None:
    pipeline = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step["run"] for job in pipeline["jobs"].values() for step in job.get("steps", []) if "run" in step]
    called = set().union(*map(make_targets, steps))
    assert {"test", "e2e"} <= called & make_targets((ROOT / ".ci" / "run").read_text())


def stand_in(folder: Path, name: str, script: str) -> None:
    """Write a program that runs a line of the shell."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Environments in which every tool does well, and pytest fails in phase 1; `python` cannot bring phase 2 up."""
    for environment in ("app", "infra", "platform"):
        folder = tmp_path / environment
        (folder / "bin").mkdir(parents=True)
        for name, failing in (("pytest", "--phase 1"), ("python", "up --phase 2")):
            stand_in(folder / "bin", name, f'case "$*" in *"{failing}"*) exit 1;; esac')
        (folder / ".ready").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("phases", "said"),
    [
        ("3", ["phase 3: passed", "plugins: passed"]),
        (
            "1 2 3",
            ["phase 1: failed", "phase 2: failed: it did not come up", "phase 3: passed", "plugins: passed"],
        ),
    ],
)
def test_a_phase_that_fails_keeps_no_other_from_being_tested(tools: Path, phases: str, said: list[str]) -> None:
    command = ["make", "--silent", "e2e", f"PHASE={phases}", f"VENV={tools}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-len(said) :] == said, done.stderr
    assert (done.returncode == 0) == all(line.endswith("passed") for line in said)


STOPS = {"cost": "-m infra.cost check prod", "policies": "-m infra.policy check prod"}


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("target", ["preview", "deploy", "release"])
def test_a_stack_over_its_budget_or_against_a_policy_fails_its_preview_and_is_not_deployed(
    tmp_path: Path, target: str, stop: str
) -> None:
    folder = tmp_path / "infra" / "bin"
    folder.mkdir(parents=True)
    (tmp_path / "infra" / ".ready").touch()
    calls = tmp_path / "calls"
    script = f'case "$*" in "{STOPS[stop]}") cat >/dev/null; echo "{stop}: no" >&2; exit 1;; esac'
    stand_in(folder, "python", f'echo "$*" >> {calls}\n{script}')
    stand_in(folder, "pulumi", f'echo "pulumi $1" >> {calls}')
    command = ["make", "--silent", target, "STACK=prod", "IMAGE=x@sha256:0", f"VENV={tmp_path}"]
    variables = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == f"{stop}: no"
    called = calls.read_text().splitlines()
    assert "pulumi up" not in called
    assert not [line for line in called if "pipeline release" in line]


def workflow(name: str) -> dict[Any, Any]:
    return dict(yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text()))


def test_the_pipeline_deploys_only_stacks_that_are_there_and_looks_at_each_of_them_every_day() -> None:
    # YAML 1.1 reads the key `on` as a truth value.
    deployed = workflow("deploy.yml")[True]["workflow_dispatch"]["inputs"]["stack"]["options"]
    assert deployed
    for stack in deployed:
        assert (ROOT / f"Pulumi.{stack}.yaml").is_file()
    assert workflow("smoke.yml")["jobs"]["smoke"]["strategy"]["matrix"]["stack"] == deployed
    assert workflow("drift.yml")["jobs"]["drift"]["strategy"]["matrix"]["stack"] == deployed
    assert workflow("preview.yml")["jobs"]["report"]["strategy"]["matrix"]["stack"] == deployed
