"""An update that is killed half way, and `make recover`."""

from __future__ import annotations

import os
import signal
import subprocess

import httpx
import pytest

from tests.e2e.images import current_image, relabelled_image
from tests.e2e.system import ROOT, System, run, wait_for

pytestmark = [pytest.mark.phases(1), pytest.mark.late]

JOB = "task-manager-secrets"


def job_uid(system: System) -> str:
    """Identifier of the Job of Secrets; empty when it is not there."""
    return system.kubectl("get", "job", JOB, "--ignore-not-found", "--output=jsonpath={.metadata.uid}").ok()


def test_an_update_that_was_killed_goes_on_after_recover(system: System) -> None:
    first = current_image()
    second = relabelled_image(first)
    before = job_uid(system)
    command = f"pulumi up --yes --skip-preview --non-interactive --stack {system.stack}"
    script = f'eval "$(.venv/infra/bin/python -m local env)"; export TASK_MANAGER_IMAGE={second}; exec {command}'
    update = subprocess.Popen(
        ["bash", "-ec", script],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        # The update replaces the Job first, since a Job's pods never change.
        wait_for("another Job is being made", lambda: job_uid(system) not in ("", before), seconds=120, every=0.1)
    finally:
        os.killpg(update.pid, signal.SIGKILL)
        update.wait(30)
    said = run("make", "recover", f"STACK={system.stack}", timeout=300).ok()
    assert f"`make deploy STACK={system.stack}` or `pulumi up` can go on" in said
    state = system.pulumi("stack", "export").ok()
    assert '"pending_operations"' not in state
    system.pulumi("up", "--yes", "--skip-preview", env={"TASK_MANAGER_IMAGE": second}).ok()
    assert {pod["spec"]["containers"][0]["image"] for pod in system.api_pods()} == {second}
    assert httpx.get(f"{system.url}/health/ready", timeout=10).status_code == 200
    system.pulumi("up", "--yes", "--skip-preview", env={"TASK_MANAGER_IMAGE": first}).ok()


def test_recover_of_a_stack_that_nothing_has_interrupted_changes_nothing(system: System) -> None:
    said = run("make", "recover", f"STACK={system.stack}", timeout=300).ok()
    assert "pending" not in said
    assert "is removed" not in said
    system.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes").ok()
