"""Lines of the stack's pods in a real Elasticsearch, by the shipper that the program makes."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.account import Account
from tests.e2e.growth import configuration
from tests.e2e.logs import ENDPOINT, Logs
from tests.e2e.system import System, run, wait_for

pytestmark = pytest.mark.phases(3, 4)

SECONDS = 30
"""Within which a line is found: Filebeat looks for new files every 5 s, and Elasticsearch shows documents after 1 s."""
REQUESTS = 500
AWAY_SECONDS = 60
SECRET = "task-manager-logs"


@pytest.fixture(scope="module")
def results(artefacts: Path) -> Path:
    """The file of what is measured, empty."""
    file = artefacts / "logs.json"
    file.write_text("")
    return file


@pytest.fixture(scope="module")
def logs(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logs]:
    """The stack, with its lines shipped; no longer afterwards."""
    with_store = ("up", "--phase", str(system.phase), "--with", "elasticsearch")
    run(".venv/infra/bin/python", "-m", "local", *with_store, timeout=1200).ok()
    # Its version has no retention of its own.
    section = {"destination": "elasticsearch", "endpoint": ENDPOINT, "retention": False}
    configured = configuration(system.phase, tmp_path_factory.mktemp("configuration"), logs=section)
    shipped = Logs(system)
    try:
        system.pulumi("up", "--yes", "--skip-preview", "--config-file", str(configured)).ok()
        # Any key will do: the module that would look at it is not there.
        shipped.kubectl("create", "secret", "generic", SECRET, "--from-literal=api-key=id:any").ok()
        shipped.wait_for_shippers()
        yield shipped
    finally:
        system.pulumi("up", "--yes", "--skip-preview").ok()


def traced(trace: str, request_id: str) -> dict[str, str]:
    return {"X-Request-ID": request_id, "traceparent": f"00-{trace}-b7ad6b7169203331-01"}


def send(account: Account, trace: str, count: int = REQUESTS // 2) -> list[str]:
    """Send so many requests of a trace; return their identifiers, which a gateway may have replaced."""

    def ask(_: int) -> str:
        answer = account.client.get("/tasks", headers=traced(trace, uuid4().hex))
        assert answer.status_code == 200, answer.text
        return str(answer.headers["x-request-id"])

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(ask, range(count)))


def ids(documents: list[dict[str, Any]]) -> list[str]:
    return [document["http"]["request"]["id"] for document in documents]


def seconds_until_all_arrived_once(logs: Logs, trace: str, sent: list[str], results: Path, what: str) -> float:
    """Return how long it took; record it, with what was lost and what was there twice.

    Raises:
        AssertionError: a line is not there after two minutes, or twice.
    """
    begun = monotonic()

    def missing() -> set[str]:
        return set(sent) - set(ids(logs.requests(trace)))

    with contextlib.suppress(AssertionError):
        wait_for("all lines", lambda: not missing(), seconds=120, every=1)
    seconds, found = monotonic() - begun, ids(logs.requests(trace))
    lost, twice = len(set(sent) - set(found)), len(found) - len(set(found))
    row = {"what": what, "requests": len(sent), "lost": lost, "twice": twice, "all found after, s": seconds}
    with results.open("a") as file:
        file.write(json.dumps(row) + "\n")
    assert (lost, twice) == (0, 0)
    assert sorted(found) == sorted(sent)
    return seconds


def test_a_request_is_found_by_its_id_with_level_service_pod_and_trace(
    system: System, account: Account, logs: Logs, results: Path
) -> None:
    trace = uuid4().hex
    answer = account.client.post("/tasks", json={"title": "Shipped"}, headers=traced(trace, uuid4().hex))
    assert answer.status_code == 201, answer.text
    request_id = answer.headers["x-request-id"]
    assert seconds_until_all_arrived_once(logs, trace, [request_id], results, "a request") < SECONDS
    lines = logs.search({"term": {"http.request.id": request_id}})
    [found] = [line for line in lines if line.get("message") == "request"]
    assert found["log"]["level"] == "info"
    assert (found["service"]["name"], found["service"]["environment"]) == ("task-manager", system.stack)
    assert found["trace"]["id"] == trace
    assert found["http"]["request"]["method"] == "POST"
    assert found["http"]["response"]["status_code"] == 201
    assert found["url"]["path"] == "/api/v1/tasks"
    assert found["kubernetes"]["namespace"] == system.namespace
    assert found["kubernetes"]["pod"]["name"] in {pod["metadata"]["name"] for pod in system.api_pods()}
    # What a line has of its own is searched under json.
    assert logs.search({"term": {"trace.id": trace}}, {"term": {"json.route": "/api/v1/tasks"}})


def test_every_container_of_the_stack_that_writes_is_found(system: System, logs: Logs) -> None:
    written = {
        (pod["metadata"]["name"], container["name"])
        for pod in system.get("pods", "--field-selector", "status.phase=Running")
        for container in pod["spec"]["containers"]
        if has_written(system, pod["metadata"]["name"], container["name"])
    }
    assert {"api", "worker", "postgres", "valkey"} <= {container for _, container in written}
    for pod, container in written:
        here = ({"term": {"kubernetes.pod.name": pod}}, {"term": {"kubernetes.container.name": container}})
        wait_for(f"a line of {pod}/{container}", partial(logs.search, *here), seconds=SECONDS)


def has_written(system: System, pod: str, container: str) -> bool:
    said = system.kubectl("logs", pod, "--container", container, "--tail=1")
    return said.code == 0 and bool(said.text.strip())


def test_a_restart_of_filebeat_loses_no_line_and_doubles_none(account: Account, logs: Logs, results: Path) -> None:
    trace, former = uuid4().hex, frozenset(logs.shippers())
    sent = send(account, trace)
    logs.kubectl("delete", "pods", "--all", "--wait=false").ok()
    sent += send(account, trace)
    logs.wait_for_shippers(former=former)
    seconds_until_all_arrived_once(logs, trace, sent, results, "Filebeat restarted on each node")


def test_nothing_is_lost_while_elasticsearch_is_away(account: Account, logs: Logs, results: Path) -> None:
    trace = uuid4().hex
    with logs.store_away():
        sent = send(account, trace)
        sleep(AWAY_SECONDS)
        sent += send(account, trace)
    seconds_until_all_arrived_once(logs, trace, sent, results, f"Elasticsearch away for {AWAY_SECONDS} s")


def test_no_line_holds_a_password_a_token_or_a_secret(system: System, account: Account, logs: Logs) -> None:
    trace = uuid4().hex
    [last] = send(account, trace, 1)
    wait_for("the last request", lambda: ids(logs.requests(trace)) == [last], seconds=SECONDS)
    lines = json.dumps(logs.search())
    assert last in lines
    secrets = {account.password, account.token, str(account.tokens["refresh_token"]), *secret_values(system)}
    assert [value[:4] for value in secrets if value in lines] == []


def secret_values(system: System) -> set[str]:
    """Return the passwords, keys and tokens in the stack's Secrets."""
    values = {
        base64.b64decode(value).decode(errors="replace")
        for secret in system.get("secrets")
        for key, value in secret.get("data", {}).items()
        if any(word in key for word in ("password", "secret", "key", "token"))
    }
    assert values
    return {value for value in values if len(value) >= 16}


def test_old_lines_go_by_a_rollover_where_elasticsearch_has_no_retention(
    account: Account, logs: Logs, results: Path
) -> None:
    """What docs/operations.md says of `logs.retention: false`."""
    before, after = uuid4().hex, uuid4().hex
    seconds_until_all_arrived_once(logs, before, send(account, before, 10), results, "before a rollover")
    [former] = logs.backing_indices()
    logs.roll_over()
    seconds_until_all_arrived_once(logs, after, send(account, after, 10), results, "after it")
    logs.delete_index(former)
    assert len(logs.backing_indices()) == 1
    assert logs.requests(before) == []
    assert len(logs.requests(after)) == 10
