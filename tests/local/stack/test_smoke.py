"""The smoke test of a stack, before a server that answers as the API does, or does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from local.errors import LocalError
from local.progress import Progress
from local.stack import address, pulumi, smoke

ANSWERS: dict[tuple[str, str], tuple[int, Any]] = {
    ("GET", "/"): (200, "<!doctype html>"),
    ("GET", "/health/ready"): (200, {}),
    ("GET", "/api/v1/tasks"): (401, {}),
    ("POST", "/api/v1/auth/login"): (200, {"access_token": "a-token"}),
    ("POST", "/api/v1/tasks"): (201, {"id": "7"}),
    ("GET", "/api/v1/tasks/7"): (200, {"title": smoke.TITLE}),
    ("DELETE", "/api/v1/tasks/7"): (204, None),
    ("POST", "/api/v1/auth/logout"): (204, None),
}


class Server(ThreadingHTTPServer):
    """Answers from a table, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = dict(ANSWERS)
        self.asked: list[tuple[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _handle(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        status, body = self.server.answers.get((self.command, self.path), (404, {}))
        page = isinstance(body, str)
        text = b"" if body is None else (body if page else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8" if page else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - the server's names

    def log_message(self, *_words: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, which is where the stack answers; no account is given."""
    running = Server()
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{running.server_address[1]}"
    monkeypatch.setattr(pulumi, "outputs", lambda _stack: {"url": url})
    monkeypatch.setattr(smoke, "place_of", lambda *_: SimpleNamespace())
    monkeypatch.setattr(address, "candidates", lambda *_: [url])
    for name in (smoke.EMAIL, smoke.PASSWORD):
        monkeypatch.delenv(name, raising=False)
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def account(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log-in of the smoke test, given after the server has taken one from outside away."""
    del server
    monkeypatch.setenv(smoke.EMAIL, "smoke@example.org")
    monkeypatch.setenv(smoke.PASSWORD, "a password of a test")


def test_without_an_account_nothing_is_written(server: Server) -> None:
    smoke.test("own", Progress())
    assert {method for method, _ in server.asked} == {"GET"}
    assert ("GET", "/") in server.asked


@pytest.mark.usefixtures("account")
def test_with_an_account_a_task_is_made_read_and_deleted(server: Server) -> None:
    smoke.test("own", Progress())
    assert server.asked[-5:] == [
        ("POST", "/api/v1/auth/login"),
        ("POST", "/api/v1/tasks"),
        ("GET", "/api/v1/tasks/7"),
        ("DELETE", "/api/v1/tasks/7"),
        ("POST", "/api/v1/auth/logout"),
    ]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("broken", "answer", "said"),
    [
        (("GET", "/"), (200, {}), "GET / is application/json, and no page"),
        (("GET", "/"), (500, "<p>"), "GET / is 500, not 200"),
        (("GET", "/api/v1/tasks"), (200, {}), "GET /api/v1/tasks is 200, not 401"),
        (("POST", "/api/v1/auth/login"), (401, {}), "POST /api/v1/auth/login is 401, not 200"),
        (("POST", "/api/v1/tasks"), (503, {}), "POST /api/v1/tasks is 503, not 201"),
        (("GET", "/api/v1/tasks/7"), (500, {}), "GET /api/v1/tasks/7 is 500, not 200"),
        (("GET", "/api/v1/tasks/7"), (200, {"title": "Other"}), "returned another task than the one that was made"),
    ],
)
def test_what_does_not_work_is_named_in_one_line(
    server: Server, broken: tuple[str, str], answer: tuple[int, Any], said: str
) -> None:
    server.answers[broken] = answer
    with pytest.raises(LocalError, match=said.replace("/", r"\/")):
        smoke.test("own", Progress())


@pytest.mark.usefixtures("account")
def test_a_task_that_cannot_be_read_is_deleted_all_the_same(server: Server) -> None:
    server.answers["GET", "/api/v1/tasks/7"] = (500, {})
    with pytest.raises(LocalError):
        smoke.test("own", Progress())
    assert server.asked[-2:] == [("DELETE", "/api/v1/tasks/7"), ("POST", "/api/v1/auth/logout")]


@pytest.mark.usefixtures("server")
def test_an_address_without_a_password_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(smoke.EMAIL, "smoke@example.org")
    with pytest.raises(LocalError, match="SMOKE_EMAIL and SMOKE_PASSWORD belong together"):
        smoke.test("own", Progress())
