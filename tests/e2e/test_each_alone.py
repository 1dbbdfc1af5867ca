"""Services of phase 4, each alone: one scales, is updated, fails to be, or loses its consumer, and no other notices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep, time
from typing import Any

import pytest

from infra.names import ServiceNames
from tests.e2e.account import Account
from tests.e2e.faults import COMPONENT, kill, wait_until_ready
from tests.e2e.growth import configuration
from tests.e2e.images import broken_image, current_image, relabelled_image
from tests.e2e.instances import each_second
from tests.e2e.load import Load, steady_load
from tests.e2e.system import System, is_ready, wait_for
from tests.e2e.test_services import PATHS, SERVICES, assert_counted_once, selector
from tests.support.outcome import Outcome

pytestmark = [pytest.mark.phases(4), pytest.mark.late]

STEP, CALM = 180, 90
"""Requests a second to tasks, of which the autoscaler wants 100 from each server; and seconds for which they last once
there is another one."""

RATE, REQUESTS = 100, 20_000
"""Load of a rolling update. Of 20,000 a failure of one request in 7,000 would be seen nineteen times of twenty."""

KILLS, EVENTS = 20, 10_000
MADE = 50
"""Tasks that are made a second, an event each."""


def update(system: System, service: str, image: str, *options: str) -> Outcome:
    """Update the release of one service to an image, and leave all others as they are."""
    target = ("--target", f"**::api{ServiceNames(service).suffix}-release")
    return system.pulumi("up", "--yes", "--skip-preview", *target, *options, env={"TASK_MANAGER_IMAGE": image})


def servers(system: System, service: str) -> list[dict[str, Any]]:
    """Return the ready servers of a service that are not on their way out."""
    release = ServiceNames(service).release
    return [pod for pod in system.api_pods() if pod["metadata"]["labels"]["app.kubernetes.io/instance"] == release]


def images(system: System, service: str) -> set[str]:
    """Return what the servers of a service run."""
    return {
        container["image"]
        for pod in servers(system, service)
        for container in pod["spec"]["containers"]
        if container["name"] == "api"
    }


def wanted_images(system: System, service: str) -> set[str]:
    """Return what the Deployments of a service's release ask for."""
    return {
        container["image"]
        for deployment in system.get("deployments", "--selector", selector(service))
        for container in deployment["spec"]["template"]["spec"]["containers"]
    }


def write(artefacts: Path, name: str, row: dict[str, object]) -> None:
    (artefacts / f"alone-{name}.json").write_text(json.dumps(row) + "\n")


def result(load: Load) -> dict[str, object]:
    return {"requests": load.requests, "failed": load.failures, "p99 ms": round(load.p99_ms())}


@pytest.fixture
def accounts(system: System) -> Iterator[list[Account]]:
    """Two: one may ask for 200 answers a second."""
    with ExitStack() as stack:
        yield [stack.enter_context(Account.create(system.api)) for _ in range(2)]


@pytest.fixture
def good_image(system: System) -> Iterator[str]:
    """The image of all services, before and after the test."""
    image = current_image()
    try:
        yield image
    finally:
        system.pulumi("up", "--yes", "--skip-preview", env={"TASK_MANAGER_IMAGE": image}).ok()


@contextmanager
def wanted_replicas(system: System) -> Iterator[dict[str, list[int]]]:
    """Look each second at how many pods each autoscaler wants, by its name; from its first value on, each other one."""
    seen: dict[str, list[int]] = {}

    def look() -> None:
        for scaler in system.get("hpa"):
            values = seen.setdefault(scaler["metadata"]["name"], [])
            wanted = scaler["status"].get("desiredReplicas", 0)
            if not values or values[-1] != wanted:
                values.append(wanted)

    look()
    with each_second(look):
        yield seen


def at_least(system: System) -> bool:
    """Tell whether each autoscaler wants as few pods as there may be, and has them."""
    return all(
        {scaler["status"].get(key) for key in ("desiredReplicas", "currentReplicas")} == {scaler["spec"]["minReplicas"]}
        for scaler in system.get("hpa")
    )


def test_load_on_tasks_scales_tasks_and_nothing_else(
    system: System, accounts: list[Account], tmp_path: Path, artefacts: Path
) -> None:
    wait_until_ready(system)
    wait_for("as few pods as there may be", lambda: at_least(system), seconds=900, every=5)
    tasks = ServiceNames("tasks").release
    before = len(servers(system, "tasks"))
    tokens = [account.token for account in accounts]
    with wanted_replicas(system) as wanted, steady_load(tmp_path, [f"{system.api}/tasks"], *tokens, rate=STEP) as load:
        began = time()
        wait_for("tasks has more servers", lambda: len(servers(system, "tasks")) > before, seconds=240, every=1)
        seconds = time() - began
        sleep(CALM)  # the claim is about a time: no other service grows for so long
    row = {"first new server of tasks ready after s": round(seconds, 1), "wanted": max(wanted[tasks]), **result(load)}
    write(artefacts, "scaling", row)
    assert {name: values for name, values in wanted.items() if name != tasks and len(values) > 1} == {}, wanted
    assert load.failures == 0, (row, load.causes)


def test_a_broken_release_of_one_service_goes_back_by_itself_while_all_serve(
    system: System, account: Account, good_image: str, tmp_path: Path, artefacts: Path
) -> None:
    wait_until_ready(system)
    # Nobody has to wait for it as long as for one that may become ready.
    impatient = str(configuration(system.phase, tmp_path, rollout_timeout=60))
    bad = broken_image(good_image)
    targets = [f"{system.api}{path}" for path in PATHS.values()]
    with steady_load(tmp_path, targets, account.token, rate=20, tasks=f"{system.api}/tasks") as load:
        began = time()
        outcome = update(system, "tasks", bad, "--config-file", impatient)
        seconds = time() - began
        wait_for("the former release is back", lambda: wanted_images(system, "tasks") == {good_image}, seconds=120)
    write(artefacts, "broken-release", {"service": "tasks", "seconds": round(seconds), **result(load)})
    assert outcome.code != 0, outcome.text
    assert "Traceback" not in outcome.text
    assert ServiceNames("tasks").release in outcome.text
    assert load.failures == 0, load.causes
    stored = load.stored_tasks(system)
    assert (stored.lost, stored.twice) == (0, 0), stored
    assert {service: wanted_images(system, service) for service in SERVICES} == {
        service: {good_image} for service in SERVICES
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_rolling_update_of_one_service_fails_no_request_and_updates_no_other(
    system: System, account: Account, good_image: str, tmp_path: Path, artefacts: Path, service: str
) -> None:
    wait_until_ready(system)
    next_image = relabelled_image(good_image)
    targets = [f"{system.api}{PATHS[service]}"]
    updates = 0
    with steady_load(tmp_path, targets, account.token, rate=RATE) as load:
        # some are on their way to vegeta still
        while updates < 2 or load.sent < REQUESTS + RATE:
            image = next_image if updates % 2 == 0 else good_image
            update(system, service, image).ok()
            assert images(system, service) == {image}
            updates += 1
    row = {"service": service, "rolling updates": updates, **result(load)}
    write(artefacts, f"rolling-update-{service}", row)
    assert load.requests >= REQUESTS
    assert load.failures == 0, (row, load.causes)
    others = {other: wanted_images(system, other) for other in SERVICES if other != service}
    assert others == {other: {good_image} for other in others}


def consumer(system: System, other_than: str) -> str:
    """Return the ready pod that consumes the events of analytics, if it is another one than the last."""
    pods = system.get("pods", "--selector", f"{selector('analytics')},{COMPONENT}=beat")
    ready = [pod["metadata"]["name"] for pod in pods if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]]
    return next((name for name in ready if name != other_than), "")


def test_each_event_has_its_effect_once_though_its_consumer_is_killed_again_and_again(
    system: System, account: Account, tmp_path: Path, artefacts: Path
) -> None:
    wait_until_ready(system)
    user = account.client.get("/users/me").json()["id"]
    killed, kills = "", 0
    with steady_load(tmp_path, [], account.token, rate=MADE, tasks=f"{system.api}/tasks") as load:
        while kills < KILLS or load.sent < EVENTS + MADE:
            if kills < KILLS:
                killed = wait_for("another consumer", lambda last=killed: consumer(system, last), seconds=180)  # type: ignore[misc]
                sleep(kills % 5)  # it is killed at its start, and within its work
                kill(system, killed)
                kills += 1
            else:
                sleep(1)
    made = len(load.acknowledged)
    write(artefacts, "consumer-killed", {"kills": kills, "events": made, **result(load)})
    assert load.failures == 0, load.causes
    assert made >= EVENTS
    wait_until_ready(system)
    account.log_in()  # the former token has expired meanwhile
    assert_counted_once(system, account, user, made)
