"""Traces: from the gateway through SQL and Redis to a worker's job; sampling; no secrets; collector outages."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.support.api import PASSWORD, V1
from tests.support.collector import Noted, collector
from tests.support.ports import free_port, wait_for
from tests.support.server import ROOT, Server, environment, process, server

TRACE, GATEWAY = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = {"traceparent": f"00-{TRACE}-{GATEWAY}-01"}

SERVER, CLIENT, CONSUMER = 2, 3, 5
"""Span kinds in OTLP."""

SOON = {"OTEL_BSP_SCHEDULE_DELAY": "200"}


def log_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def log_in(url: str, **headers: str) -> dict[str, str]:
    """Register a user, log in, and return the authentication headers."""
    body = {"email": "grace@example.org", "password": PASSWORD, "name": "Grace"}
    with httpx.Client(base_url=f"{url}{V1}", headers=headers) as client:
        assert client.post("/auth/register", json=body).status_code == 201
        answer = client.post("/auth/login", json={name: body[name] for name in ("email", "password")})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def one(spans: list[Noted], name: str) -> Noted:
    [found] = [span for span in spans if span.name == name and span.trace_id == TRACE]
    return found


def test_a_request_and_the_job_of_a_worker_are_one_trace(postgres_url: str, valkey: str, tmp_path: Path) -> None:
    with collector() as taken:
        variables = {
            **SOON,
            "APP_JOBS": "celery",
            "APP_REDIS_URL": f"{valkey}/0",
            "APP_BROKER_URL": f"{valkey}/3",
            "APP_TRACES_ENDPOINT": taken.url,
            "APP_TRACES_HEADERS": "api-key=key-of-the-apm",
            "APP_DEPLOYMENT": "task-manager-prod",
            "REMAP_SIGTERM": "SIGQUIT",
        }
        worker_variables = environment(tmp_path, postgres_url, 8000, **variables)
        with (
            server(tmp_path, postgres_url, **variables) as started,
            process(tmp_path, worker_variables, "worker") as worker,
        ):
            headers = {**log_in(started.url), **SAMPLED}
            job = httpx.post(f"{started.url}{V1}/tasks/exports", headers=headers, json={})
            assert job.status_code == 202, job.text

            def done() -> bool:
                answer = httpx.get(f"{started.url}{V1}/jobs/{job.json()['id']}", headers=headers | {"traceparent": ""})
                return bool(answer.json()["state"] == "succeeded")

            wait_for(done, "the job is done")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(25) == 0, (tmp_path / "worker.log").read_text()
            assert started.terminate() == 0
        spans = [span for span in taken.spans() if span.trace_id == TRACE]
        sent = [sent for _, sent, _ in taken.posts]

    request = one(spans, f"POST {V1}/tasks/exports")
    assert (request.kind, request.parent_id, request.service) == (SERVER, GATEWAY, "task-manager-api")
    assert request.facts == {
        "http.request.method": "POST",
        "http.route": f"{V1}/tasks/exports",
        "http.response.status_code": 202,
        "url.path": f"{V1}/tasks/exports",
        "url.scheme": "http",
    }
    assert request.resource["deployment.environment.name"] == "task-manager-prod"
    assert request.resource["service.version"]

    asked = [span for span in spans if span.parent_id == request.span_id and span.kind == CLIENT]
    assert {span.facts.get("db.system.name") for span in asked} == {"postgresql", "redis"}
    [insert] = [span for span in asked if span.name.startswith("INSERT ")]
    assert insert.facts["db.query.text"].startswith("INSERT INTO jobs")
    assert "%(kind)s" in insert.facts["db.query.text"]

    work = one(spans, "job export")
    assert (work.kind, work.parent_id, work.service) == (CONSUMER, request.span_id, "task-manager-worker")
    assert work.facts == {"job_id": job.json()["id"], "attempt": 1}
    assert any(span.parent_id == work.span_id and span.name.startswith("INSERT ") for span in spans)

    [line] = [line for line in log_lines(started.log) if line.get("trace_id") == TRACE and line["event"] == "request"]
    assert line["span_id"] == request.span_id
    assert all(headers["api-key"] == "key-of-the-apm" for headers in sent)


def test_an_event_of_a_request_is_handled_in_its_trace_and_so_is_the_job_that_it_queues(
    postgres_url: str, tmp_path: Path
) -> None:
    with collector() as taken, server(tmp_path, postgres_url, **SOON, APP_TRACES_ENDPOINT=taken.url) as started:
        log_in(started.url, **SAMPLED)
        wait_for(lambda: any(" user." in span.name for span in taken.spans()), "the event is handled")
        spans = taken.spans()
    registered = one(spans, f"POST {V1}/auth/register")
    [handled] = [span for span in spans if span.name.startswith("notifications.recipients user.")]
    assert (handled.trace_id, handled.parent_id, handled.kind) == (TRACE, registered.span_id, CONSUMER)


def test_no_secret_is_in_a_span(postgres_url: str, valkey: str, tmp_path: Path) -> None:
    with collector() as taken:
        variables = {**SOON, "APP_REDIS_URL": f"{valkey}/0", "APP_TRACES_ENDPOINT": taken.url}
        with server(tmp_path, postgres_url, **variables) as started:
            headers = log_in(started.url, **SAMPLED)
            again = {"email": "grace@example.org", "password": PASSWORD, "name": "Grace"}
            assert httpx.post(f"{started.url}{V1}/auth/register", json=again, headers=SAMPLED).status_code == 409
            httpx.get(f"{started.url}{V1}/tasks?q=what-somebody-searched", headers=headers | SAMPLED)
            assert started.terminate() == 0
        sent = taken.everything()
        assert any(span.name == f"GET {V1}/tasks" for span in taken.spans())
    for secret in (PASSWORD, headers["Authorization"][-20:], "grace@example.org", "what-somebody-searched", "argon2"):
        assert secret.encode() not in sent


def test_root_traces_are_sampled_by_ratio_and_the_gateways_decision_is_kept(sqlite_url: str, tmp_path: Path) -> None:
    variables = {**SOON, "APP_TRACES_SHARE": "0"}
    with collector() as taken, server(tmp_path, sqlite_url, APP_TRACES_ENDPOINT=taken.url, **variables) as started:
        for headers in ({}, {"traceparent": f"00-{'1' * 32}-{GATEWAY}-00"}, SAMPLED):
            httpx.get(f"{started.url}{V1}/openapi.json", headers=headers)
        httpx.get(f"{started.url}/health/ready", headers=SAMPLED)
        assert started.terminate() == 0
        assert [(span.name, span.trace_id) for span in taken.spans() if span.kind == SERVER] == [
            (f"GET {V1}/openapi.json", TRACE)
        ]


def test_without_traces_the_log_has_the_gateways_trace_id_and_nothing_is_imported(
    sqlite_url: str, tmp_path: Path
) -> None:
    code = (
        "import sys; from app.bootstrap.http import application; application();"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'sentry_sdk', 'google.protobuf'))])"
    )
    variables = environment(tmp_path, sqlite_url, 8000)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    with server(tmp_path, sqlite_url) as started:
        httpx.get(f"{started.url}{V1}/openapi.json", headers=SAMPLED)
        httpx.get(f"{started.url}{V1}/openapi.json", headers={"traceparent": "00-not-a-trace-01"})
        assert started.terminate() == 0
    named = [line.get("trace_id") for line in log_lines(started.log) if line["event"] == "request"]
    assert named == [TRACE, None]


def test_requests_do_not_wait_for_a_hanging_collector(sqlite_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts connections, and never responds
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        variables = {"APP_TRACES_ENDPOINT": address, "APP_SENTRY_DSN": address.replace("://", "://key@") + "/1"}
        with server(tmp_path, sqlite_url, **SOON, **variables) as started:
            assert _slowest(started) < 1
            begun = time.monotonic()
            assert started.terminate() == 0
            assert time.monotonic() - begun < 12


def test_an_unreachable_collector_is_logged_once_and_delays_no_request(sqlite_url: str, tmp_path: Path) -> None:
    variables = {"APP_TRACES_ENDPOINT": f"http://127.0.0.1:{free_port()}", **SOON}
    with server(tmp_path, sqlite_url, **variables) as started:

        def warnings() -> list[dict[str, Any]]:
            assert _slowest(started) < 1
            return [line for line in log_lines(started.log) if line["event"] == "traces not taken"]

        wait_for(lambda: bool(warnings()), "the log says that traces are lost")
        for _ in range(3):
            warnings()
        assert started.terminate() == 0
    assert len(logged := [line for line in log_lines(started.log) if line["event"] == "traces not taken"]) == 1
    assert logged[0]["spans"] > 0
    assert not any(str(line.get("logger", "")).startswith("opentelemetry") for line in log_lines(started.log))


def _slowest(started: Server) -> float:
    """Return how long the slowest of some requests takes, in seconds."""
    return max(httpx.get(f"{started.url}{V1}/openapi.json", headers=SAMPLED).elapsed.total_seconds() for _ in range(20))
