"""Traces and errors of a running stack: one trace from the request to a worker's job, or to another service."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.e2e.account import Account
from tests.e2e.faults import task_creation_denied, wait_until_ready
from tests.e2e.growth import configuration
from tests.e2e.system import System, machine_address, wait_for
from tests.support.collector import Noted, Taken, collector

pytestmark = pytest.mark.phases(2, 3)

SECRET = "task-manager-sentry"
SPAN = "b7ad6b7169203331"
"""The caller's span, as a gateway would send it."""


@dataclass(frozen=True)
class Receivers:
    """The collectors of traces and errors."""

    traces: Taken
    errors: Taken


@pytest.fixture(scope="module")
def receivers(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    """The stack, with traces and errors turned on; off again afterwards."""
    host = machine_address()
    with collector(host) as traces, collector(host) as errors:
        port = urlsplit(errors.url).port
        configured = configuration(
            system.phase,
            tmp_path_factory.mktemp("configuration"),
            tracing={"endpoint": traces.url},
            errors={"enabled": True, "port": port},
        )
        dsn = f"http://{secrets.token_hex(16)}@{host}:{port}/1"
        system.kubectl("create", "secret", "generic", SECRET, f"--from-literal=dsn={dsn}").ok()
        try:
            system.pulumi("up", "--yes", "--skip-preview", "--config-file", str(configured)).ok()
            yield Receivers(traces, errors)
        finally:
            system.pulumi("up", "--yes", "--skip-preview").ok()
            system.kubectl("delete", "secret", SECRET).ok()


@contextmanager
def traced(account: Account) -> Iterator[str]:
    """Send a `traceparent` with each request of the block; the trace's identifier."""
    trace = secrets.token_hex(16)
    account.client.headers["traceparent"] = f"00-{trace}-{SPAN}-01"
    yield trace
    del account.client.headers["traceparent"]


def test_a_request_and_the_job_of_a_worker_are_one_trace(
    system: System, account: Account, receivers: Receivers
) -> None:
    with traced(account) as trace:
        assert account.client.post("/tasks/exports", json={}).status_code == 202

    def names() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for span in receivers.traces.spans():
            if span.trace_id == trace:
                found.setdefault(span.service, set()).add(span.name)
        return found

    wait_for("the worker's job is in the trace", lambda: "job export" in names().get("task-manager-worker", ()))
    wait_for("the request is in it", lambda: "POST /api/v1/tasks/exports" in names().get("task-manager-api", ()))
    assert any(name.startswith("INSERT") for name in names()["task-manager-api"]), names()
    [request] = [span for span in receivers.traces.spans() if span.trace_id == trace and span.parent_id == SPAN]
    assert request.resource["deployment.environment.name"] == system.namespace


@pytest.mark.phases(4)
def test_a_trace_leads_from_the_gateway_through_rabbitmq_to_another_service(
    account: Account, receivers: Receivers
) -> None:
    with traced(account) as trace:
        assert account.client.post("/tasks", json={"title": "Traced"}).status_code == 201

    def span(service: str, name: str) -> Noted | None:
        named = (each for each in receivers.traces.spans() if (each.service, each.name) == (service, name))
        return next((each for each in named if each.trace_id == trace), None)

    handled = wait_for("it is handled", lambda: span("task-manager-analytics-beat", "analytics task.created"))
    sent = wait_for("it was sent", lambda: span("task-manager-tasks-beat", "send task-manager.events:task.created"))
    request = wait_for("it was asked for", lambda: span("task-manager-tasks-api", "POST /api/v1/tasks"))
    assert handled
    assert sent
    assert request
    assert (handled.parent_id, sent.parent_id) == (sent.span_id, request.span_id)
    # The gateway has a span of its own between the client's and the request's, and exports none.
    assert request.parent_id not in ("", SPAN)


def test_an_error_is_reported_with_its_trace_and_without_the_request_body(
    system: System, account: Account, receivers: Receivers
) -> None:
    title = secrets.token_hex(16)
    with task_creation_denied(system), traced(account) as trace:
        assert account.client.post("/tasks", json={"title": title}).status_code == 500
    [event] = wait_for("the error is reported", lambda: [e for e in receivers.errors.errors() if trace in str(e)])
    assert event["environment"] == system.namespace

    def kinds() -> set[str]:
        return {s.facts["error.type"] for s in receivers.traces.spans() if s.trace_id == trace and s.failed}

    wait_for("the failed request is in its trace", lambda: "500" in kinds())
    for secret in (title, account.email, account.token):
        assert secret.encode() not in receivers.errors.everything() + receivers.traces.everything()


@pytest.mark.usefixtures("receivers")
def test_what_sends_them_has_room_for_it(system: System) -> None:
    wait_until_ready(system)
    for pod in system.get("pods", "--selector", "app.kubernetes.io/name=task-manager"):
        for container in pod["status"].get("containerStatuses", []):
            assert container["restartCount"] == 0, (pod["metadata"]["name"], container["lastState"])
