"""Background jobs from phase 2 on: done by workers alone, and neither lost nor repeated when a worker is removed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.account import Account
from tests.e2e.system import System, is_ready, wait_for

pytestmark = pytest.mark.phases(2, 3)

ROWS = 100_000
"""Some seconds of work: enough to meet a pod in the middle of it."""


def workers(system: System) -> list[str]:
    """Return the names of the workers that are there, ready or not."""
    pods = system.get("pods", "--selector", "app.kubernetes.io/component=worker")
    return [pod["metadata"]["name"] for pod in pods]


def begin_import(account: Account, name: str, rows: int) -> str:
    """Send a file whose lines make tasks called `name` and a number; return the job's id."""
    lines = ["title,description,status,due_at,tags", *(f"{name} {number},,todo,," for number in range(rows))]
    answer = account.client.post("/tasks/imports", files={"file": ("tasks.csv", "\n".join(lines), "text/csv")})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def job(account: Account, identifier: str) -> dict[str, Any]:
    """Return a job as the API tells it, as soon as there is an API that answers."""

    def fetched() -> dict[str, Any]:
        try:
            answer = account.client.get(f"/jobs/{identifier}")
        except httpx.HTTPError:
            return {}
        return answer.json() if answer.status_code == 200 else {}

    return wait_for("the job is fetched", fetched, seconds=120)


def wait_for_success(account: Account, identifier: str) -> None:
    def succeeded() -> bool:
        found = job(account, identifier)
        assert found["state"] not in {"failed", "cancelled"}, found
        return bool(found["state"] == "succeeded")

    wait_for("the import has ended well", succeeded, seconds=300)


def imported(system: System, name: str) -> tuple[int, int]:
    """Return how many tasks of an import there are, and how many different ones."""
    query = f"select count(*), count(distinct title) from tasks where title like '{name} %'"  # noqa: S608 - our own
    [[total, different]] = system.sql(query)
    return int(total), int(different)


def test_an_import_waits_for_a_worker_and_is_then_done(system: System, account: Account) -> None:
    deployment = "deployment/task-manager-worker"
    system.kubectl("scale", deployment, "--replicas=0").ok()
    wait_for("no worker is left", lambda: not workers(system), seconds=90)
    name = uuid4().hex
    identifier = begin_import(account, name, 100)
    try:
        # Not one of three servers may do it: each gets a chance to say so.
        assert {job(account, identifier)["state"] for _ in range(30)} == {"queued"}
    finally:
        system.kubectl("scale", deployment, "--replicas=1").ok()
    wait_for_success(account, identifier)
    assert imported(system, name) == (100, 100)


@pytest.mark.parametrize("how", ["deleted", "killed"])
def test_a_worker_that_goes_in_the_middle_of_an_import_loses_nothing_and_does_nothing_twice(
    system: System, account: Account, how: str
) -> None:
    name = uuid4().hex
    identifier = begin_import(account, name, ROWS)
    wait_for("the import is under way", lambda: job(account, identifier)["done"] > 0, seconds=60)
    assert job(account, identifier)["state"] == "running", "it ended before it could be disturbed: raise ROWS"
    force = () if how == "deleted" else ("--grace-period=0", "--force")
    system.kubectl("delete", "pod", *workers(system), "--wait=false", *force).ok()
    wait_for_success(account, identifier)
    assert imported(system, name) == (ROWS, ROWS)


def test_there_is_one_beat_and_it_beats(system: System) -> None:
    def ready() -> bool:
        pods = system.get("pods", "--selector", "app.kubernetes.io/component=beat")
        return [is_ready(pod) for pod in pods] == [True]

    wait_for("one beat is ready", ready, seconds=60)
