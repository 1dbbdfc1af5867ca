"""`pulumi up` on a running system: no change, a new release, or a rollback from a bad one."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import monotonic

import httpx
import pytest

from tests.e2e.account import Account
from tests.e2e.growth import configuration
from tests.e2e.images import broken_image, current_image, relabelled_image
from tests.e2e.load import steady_load
from tests.e2e.system import System, wait_for
from tests.support.outcome import Outcome

# Requests a second, and how many at least. Of 20,000 a failure of one request in 7,000 would be seen nineteen times of
# twenty. 60 a second are well below what two processors serve beside a rollout, so that a failure is the rollout's and
# not a lack of capacity; the third phase is asked for more.
LOADS = {1: (60, 20_000), 2: (60, 20_000), 3: (200, 100_000)}


def images(system: System) -> set[str]:
    """Return the references that the ready pods run."""
    return {pod["spec"]["containers"][0]["image"] for pod in system.api_pods()}


def up(system: System, image: str) -> str:
    return system.pulumi("up", "--yes", "--skip-preview", env={"TASK_MANAGER_IMAGE": image}).ok()


def failing_up(system: System, image: str, directory: Path) -> Outcome:
    """Update to an image that never becomes ready, for which nobody has to wait as long as for one that may."""
    impatient = str(configuration(system.phase, directory, rollout_timeout=60))
    options = ("--yes", "--skip-preview", "--config-file", impatient)
    return system.pulumi("up", *options, env={"TASK_MANAGER_IMAGE": image})


def test_a_second_up_changes_nothing(system: System) -> None:
    system.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes").ok()


def test_a_preview_without_changes_says_so_and_its_seconds_are_noted(system: System, artefacts: Path) -> None:
    seconds = []
    for _ in range(5):
        began = monotonic()
        system.pulumi("preview", "--expect-no-changes").ok()
        seconds.append(monotonic() - began)
    record = f"phase {system.phase}: 5 previews without changes, {min(seconds):.1f} to {max(seconds):.1f} s"
    (artefacts / "preview.txt").write_text(f"{record}, median {median(seconds):.1f} s\n")


@pytest.mark.phases(*LOADS)  # of phase 4: test_each_alone
def test_a_rolling_update_under_steady_load_fails_no_request(
    system: System, account: Account, tmp_path: Path, artefacts: Path
) -> None:
    first = current_image()
    second = relabelled_image(first)
    account.client.post("/tasks", json={"title": "Read under load"})
    targets = [f"{system.api}/users/me", f"{system.api}/tasks", f"{system.url}/health/ready", f"{system.url}/"]

    rate, requests = LOADS[system.phase]

    updates = 0
    with steady_load(tmp_path, targets, account.token, rate=rate) as load:
        # some are on their way to vegeta still
        while updates < 2 or load.sent < requests + rate:
            image = second if updates % 2 == 0 else first
            up(system, image)
            assert images(system) == {image}
            updates += 1

    record = f"phase {system.phase}: {updates} rolling updates, {load.requests} requests, {load.failures} failed"
    (artefacts / "rolling-update.txt").write_text(f"{record}, p99 {load.p99_ms():.0f} ms\n")
    up(system, first)
    assert load.failures == 0, (record, load.causes)
    assert load.requests >= requests


def test_a_release_that_never_becomes_ready_goes_back_by_itself(
    system: System, account: Account, tmp_path: Path
) -> None:
    good = current_image()
    up(system, good)
    bad = broken_image(good)

    with steady_load(tmp_path, [f"{system.api}/users/me"], account.token, rate=20) as load:
        outcome = failing_up(system, bad, tmp_path)

    assert outcome.code != 0
    assert "Traceback" not in outcome.text
    assert "task-manager" in outcome.text
    assert "not ready" in outcome.text or "readiness" in outcome.text.lower(), outcome.text
    assert load.failures == 0, load.causes
    wait_for("only good pods are left", lambda: images(system) == {good}, seconds=120)
    assert httpx.get(f"{system.url}/health/ready", timeout=30).status_code == 200
    assert system.pulumi("stack", "output", "image").ok().strip() == good, "the next update would take it up again"

    up(system, good)


@pytest.mark.phases(1)
def test_an_image_that_does_not_exist_is_named_and_changes_nothing(system: System, tmp_path: Path) -> None:
    before = images(system)
    missing = "ghcr.io/primetrade/task-manager:no-such-image"
    outcome = failing_up(system, missing, tmp_path)
    assert outcome.code != 0
    assert missing in outcome.text
    assert images(system) == before
    up(system, current_image())
