"""Forwarding of requests after the handover, to a fake target that records them."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from app.core.errors import MovedError, UnavailableError
from app.core.jobs.polling_loop import PollingLoop
from app.core.sqlite_migration import forwarding
from app.core.sqlite_migration.handover import HandoverLock
from tests.support.ports import free_port
from tests.support.settings import make_settings

ACCOUNT = {"email": "ada@example.org", "password": "some password", "name": "Ada"}


@dataclass
class Heir:
    """Fake migration target.

    Attributes:
        ready: whether it has the data.
        asked: request line, headers and body of each request except health checks.
    """

    address: str
    ready: bool = True
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def heir_at(port: int) -> Iterator[Heir]:
    heir = Heir(f"http://127.0.0.1:{port}")

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            healthy = self.path.startswith("/health/")
            if not healthy:
                heir.asked.append((self.requestline, dict(self.headers), body))
            answer = b'{"from": "heir"}'
            self.send_response(418 if not healthy else 200 if heir.ready else 503)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Of-The-Heir", "yes")
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 names of the standard library

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield heir
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def heir() -> Iterator[Heir]:
    with heir_at(free_port()) as started:
        yield started


@pytest.fixture
def file(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
def former(sqlite_url: str) -> Iterator[OpenAPI]:
    container = build(make_settings(sqlite_url))
    yield create_app(container)
    container.database.dispose()


def register(app: OpenAPI) -> TestResponse:
    return app.test_client().post("/api/v1/auth/register", json=ACCOUNT)


def test_before_the_handover_no_request_is_forwarded(former: OpenAPI, heir: Heir) -> None:
    assert register(former).status_code == 201
    assert heir.asked == []


def test_a_request_is_forwarded_whole_and_its_response_returned(former: OpenAPI, file: Path, heir: Heir) -> None:
    HandoverLock(file).acquire(heir.address)
    answer = former.test_client().patch(
        "/api/v1/tasks/a%20b?c=%2F",
        json={"title": "ü"},
        headers={"Authorization": "Bearer x", "X-Forwarded-For": "made up", "If-Match": '"1"'},
        environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
    )
    assert (answer.status_code, answer.json) == (418, {"from": "heir"})
    assert answer.headers["X-Of-The-Heir"] == "yes"
    [(line, headers, body)] = heir.asked
    assert line == "PATCH /api/v1/tasks/a%20b?c=%2F HTTP/1.1"
    assert json.loads(body) == {"title": "ü"}
    assert headers["Authorization"] == "Bearer x"
    assert headers["If-Match"] == '"1"'
    assert (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"]) == ("192.0.2.1", "http")
    assert headers["Content-Type"] == "application/json"


def test_health_endpoints_are_not_forwarded(former: OpenAPI, file: Path, heir: Heir) -> None:
    HandoverLock(file).acquire(heir.address)
    client = former.test_client()
    assert [client.get(path).status_code for path in ("/health/live", "/health/ready")] == [200] * 2
    assert heir.asked == []


def test_a_write_that_waited_during_the_handover_is_forwarded(former: OpenAPI, file: Path, heir: Heir) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as celery_transport, ThreadPoolExecutor(1) as threads:
        celery_transport.execute("BEGIN IMMEDIATE")
        answer = threads.submit(register, former)
        with pytest.raises(TimeoutError):
            answer.result(0.5)
        HandoverLock(file).acquire(heir.address)
        celery_transport.execute("ROLLBACK")
        assert answer.result(30).status_code == 418
    [(_, _, body)] = heir.asked
    assert json.loads(body) == ACCOUNT


def test_a_request_is_held_until_the_target_is_ready(former: OpenAPI, file: Path) -> None:
    port = free_port()
    HandoverLock(file).acquire(f"http://127.0.0.1:{port}")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(register, former)
        with pytest.raises(TimeoutError):
            answer.result(0.3)
        with heir_at(port) as heir:
            heir.ready = False
            with pytest.raises(TimeoutError):
                answer.result(0.3)
            assert heir.asked == []
            heir.ready = True
            assert answer.result(30).status_code == 418


def test_a_held_request_is_answered_here_when_the_handover_lock_is_released(former: OpenAPI, file: Path) -> None:
    seal = HandoverLock(file)
    seal.acquire(f"http://127.0.0.1:{free_port()}")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(register, former)
        with pytest.raises(TimeoutError):
            answer.result(0.3)
        seal.release()
        assert answer.result(30).status_code == 201


def test_a_request_held_for_too_long_gets_503_with_retry_after(
    former: OpenAPI, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "HOLD", 0.2)
    HandoverLock(file).acquire(f"http://127.0.0.1:{free_port()}")
    answer = register(former)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_background_work_ends_after_the_handover() -> None:
    turns: list[str] = []

    def run_once() -> bool:
        turns.append("a turn")
        raise MovedError("it has moved") if len(turns) == 2 else UnavailableError("it is busy")

    PollingLoop("work", run_once, 0.001).run()
    assert len(turns) == 2
