"""The workflows: one build promoted by digest, and credentials for those jobs alone that use them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
OF_STACKS = [path for path in WORKFLOWS if "CLUSTER=kind" not in path.read_text()]
"""Those whose stacks are elsewhere: a cluster of kind is the runner's own, and so is the state of its stack."""
CREDENTIALS = "./.github/actions/cloud-credentials"
DIGEST = f"sha256:{'0a' * 32}"
IMAGE = f"ghcr.io/somebody/task-manager@{DIGEST}"


def jobs_of(workflow: Path) -> dict[str, dict[str, Any]]:
    """The jobs of a workflow by name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(workflow.read_text())["jobs"]
    return found


@pytest.fixture(scope="module")
def deploy() -> dict[str, dict[str, Any]]:
    return jobs_of(GITHUB / "workflows" / "deploy.yml")


@pytest.fixture(scope="module")
def release() -> dict[str, dict[str, Any]]:
    return jobs_of(GITHUB / "workflows" / "release.yml")


def steps_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a job; none of one that calls another workflow."""
    found: list[dict[str, Any]] = job.get("steps", [])
    return found


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in steps_of(job))


def make(target: str, path: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a target as a pipeline does, with these variables."""
    environment = {**os.environ, **variables, "PATH": f"{path}{os.environ['PATH']}"}
    return subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_only_a_job_that_takes_cloud_credentials_or_signs_may_ask_for_an_identity(workflow: Path) -> None:
    for name, job in jobs_of(workflow).items():
        if "uses" in job:
            continue
        takes = any(step.get("uses") == CREDENTIALS for step in steps_of(job))
        assert ("id-token" in job["permissions"]) == (takes or "make sign" in commands(job)), name
        assert not takes or "environment" in job, f"{name}: the role trusts environments, whose reviewers come first"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_has_permissions_but_those_that_a_job_names(workflow: Path) -> None:
    declared = yaml.safe_load(workflow.read_text())
    assert declared["permissions"] == {}
    for name, job in declared["jobs"].items():
        assert "permissions" in job, name
        assert "uses" in job or "timeout-minutes" in job, name


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_that_starts_by_itself_runs_once_at_a_time(workflow: Path) -> None:
    declared = yaml.safe_load(workflow.read_text())
    started = set(declared[True]) - {"workflow_call"}  # YAML 1.1 reads `on` as a boolean
    assert not started or workflow.name == "smoke.yml" or "concurrency" in declared


SPEAKING = re.compile(r"make (preview|preview-report|deploy|release|drift|smoke)(?![\w-])")


@pytest.mark.parametrize("workflow", OF_STACKS, ids=lambda path: path.name)
def test_a_job_that_speaks_to_a_stack_can_reach_any_backend_and_any_cluster(workflow: Path) -> None:
    for name, job in jobs_of(workflow).items():
        speaking = [step for step in steps_of(job) if SPEAKING.search(step.get("run", ""))]
        for step in speaking:
            backend = {"PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "KUBECONFIG_BASE64"}
            assert backend <= set(step["env"]), name
        uses = [step.get("uses") for step in steps_of(job)]
        assert not speaking or CREDENTIALS in uses, name


def test_every_environment_hands_the_same_settings_to_the_credentials() -> None:
    given = [
        json.dumps(step["with"], sort_keys=True)
        for workflow in WORKFLOWS
        for job in jobs_of(workflow).values()
        for step in steps_of(job)
        if step.get("uses") == CREDENTIALS
    ]
    inputs = yaml.safe_load((ROOT / CREDENTIALS / "action.yml").read_text())["inputs"]
    assert len(set(given)) == 1
    assert set(json.loads(given[0])) == set(inputs)


def test_the_image_is_built_and_signed_in_one_job_and_its_digest_is_what_the_others_release(
    deploy: dict[str, dict[str, Any]], release: dict[str, dict[str, Any]]
) -> None:
    jobs = {**deploy, **release}
    assert [name for name, job in jobs.items() if "make publish" in commands(job)] == ["image"]
    assert [name for name, job in jobs.items() if "make sign" in commands(job)] == ["image"]
    for name in ("staging", "prod"):
        assert deploy[name]["with"] == {"stack": name, "image": "${{ needs.image.outputs.image }}"}
        assert "image" in deploy[name]["needs"]
    assert all(job["env"]["IMAGE"] == "${{ inputs.image }}" for job in release.values())


def test_production_comes_after_staging_and_after_its_reviewers(
    deploy: dict[str, dict[str, Any]], release: dict[str, dict[str, Any]]
) -> None:
    assert "staging" in deploy["prod"]["needs"]
    assert release["release"]["environment"] == "${{ inputs.stack }}"
    assert release["release"]["needs"] == "preview"


def test_nothing_is_previewed_or_released_before_its_signature_is_verified(
    release: dict[str, dict[str, Any]],
) -> None:
    assert "make verify" in commands(release["verify"])
    [verify] = [step for step in steps_of(release["verify"]) if step.get("run") == "make verify"]
    assert verify["env"]["COSIGN_IDENTITY"].endswith("/.github/workflows/deploy.yml@refs/heads/main")
    assert release["preview"]["needs"] == "verify"


def test_an_image_that_was_built_before_is_released_by_hand(deploy: dict[str, dict[str, Any]]) -> None:
    given = yaml.safe_load((GITHUB / "workflows" / "deploy.yml").read_text())[True]["workflow_dispatch"]["inputs"]
    assert given["image"]["required"] is True
    assert deploy["by-hand"]["with"] == {"stack": "${{ inputs.stack }}", "image": "${{ inputs.image }}"}
    assert deploy["by-hand"]["if"] == "github.event_name == 'workflow_dispatch'"


def test_a_fork_gets_no_preview() -> None:
    for name, job in jobs_of(GITHUB / "workflows" / "preview.yml").items():
        assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"], name


@pytest.mark.parametrize("given", ["", "latest", "ghcr.io/a/b:1.2.3", f"ghcr.io/a/b@{DIGEST[:-1]}", f"a b@{DIGEST}"])
def test_what_is_no_image_by_digest_is_not_promoted(given: str) -> None:
    done = make("promote", IMAGE=given)
    assert done.returncode != 0
    assert done.stdout == ""
    first, *_ = done.stderr.splitlines()
    assert first.startswith(f"promote: IMAGE='{given}' names no image by digest")


def test_an_image_by_digest_is_promoted_as_it_is() -> None:
    assert make("promote", IMAGE=IMAGE).stdout == f"{IMAGE}\n"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_step_whose_command_fails_fails(workflow: Path) -> None:
    # `echo "x=$(false)"` succeeds, so what may fail stands in an assignment of its own.
    for job in jobs_of(workflow).values():
        assert not re.search(r"echo .*\$\(", commands(job))


@pytest.fixture
def buildah(tmp_path: Path) -> Path:
    """A stand-in that writes down how it was called, and the digest that it is told to push."""
    program = tmp_path / "buildah"
    program.write_text(
        f"""#!/bin/bash
printf '%s\\n' "$*" >> {tmp_path}/calls
while [ $# -gt 0 ]; do if [ "$1" = --digestfile ]; then printf %s "$PUSHED" > "$2"; fi; shift; done
"""
    )
    program.chmod(0o755)
    return tmp_path


def test_publish_builds_both_architectures_with_version_and_revision_into_one_list(buildah: Path) -> None:
    done = make(
        "publish",
        f"{buildah}:",
        REPOSITORY="ghcr.io/somebody/task-manager",
        PLATFORMS="linux/amd64,linux/arm64",
        PUSHED=DIGEST,
    )
    assert (done.returncode, done.stdout) == (0, f"{IMAGE}\n")
    build, push, remove = (buildah / "calls").read_text().splitlines()
    [version] = re.findall(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "--platform linux/amd64,linux/arm64" in build
    assert f"--build-arg VERSION={version} " in build
    assert f"--build-arg REVISION={revision.strip()} " in build
    assert f"--label org.opencontainers.image.version={version} " in build
    assert f"--label org.opencontainers.image.revision={revision.strip()} " in build
    assert "BASE_IMAGE" not in build
    assert f"docker://ghcr.io/somebody/task-manager:{revision[:12]}" in push
    assert "--all" in push
    assert "--tls-verify" not in push
    assert remove.startswith("manifest rm ")


def test_a_push_that_left_no_digest_is_a_failure(buildah: Path) -> None:
    done = make("publish", f"{buildah}:", REPOSITORY="ghcr.io/somebody/task-manager", PUSHED="")
    assert done.returncode != 0
    assert done.stdout == ""
    assert "publish: ghcr.io/somebody/task-manager took no image" in done.stderr


def test_the_workflow_publishes_for_amd64_and_arm64(deploy: dict[str, dict[str, Any]]) -> None:
    [publish] = [step for step in deploy["image"]["steps"] if step.get("id") == "publish"]
    assert publish["env"]["PLATFORMS"] == "linux/amd64,linux/arm64"
    [emulation] = [step for step in deploy["image"]["steps"] if "setup-qemu-action" in step.get("uses", "")]
    assert emulation["with"]["platforms"] == "arm64"


def test_the_base_image_is_named_by_digest_and_kept_by_a_robot() -> None:
    [base] = re.findall(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert "dockerfile" in json.loads((GITHUB / "renovate.json").read_text())["enabledManagers"]
