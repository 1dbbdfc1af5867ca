"""Comments and issues on GitHub, against a server that speaks the part of its API that is used."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.errors import LocalError
from local.pipeline import github

MARKER = "<!-- a marker -->"
REPOSITORY = "/repos/somebody/tasks"


class Server(ThreadingHTTPServer):
    """A repository with a pull request 7 and issues, in memory."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.tokens: set[str] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _handle(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self.server.tokens.add(str(self.headers["Authorization"]))
        path, method = urlsplit(self.path).path, self.command
        base = f"{self.server.address}{REPOSITORY}"
        if path == f"{REPOSITORY}/issues/7":
            self._answer(200, {"number": 7, "url": f"{base}/issues/7"})
        elif path == f"{REPOSITORY}/issues/7/comments" and method == "GET":
            self._answer(200, self.server.comments)
        elif path == f"{REPOSITORY}/issues/7/comments":
            number = len(self.server.comments)
            made = {**body, "id": number, "url": f"{base}/comments/{number}", "html_url": f"comment-{number}"}
            self.server.comments.append(made)
            self._answer(201, made)
        elif path.startswith(f"{REPOSITORY}/comments/"):
            self.server.comments[int(path.rpartition("/")[2])].update(body)
            self._answer(200, self.server.comments[int(path.rpartition("/")[2])])
        elif path == f"{REPOSITORY}/issues" and method == "GET":
            self._answer(200, [each for each in self.server.issues if each["state"] == "open"])
        elif path == f"{REPOSITORY}/issues":
            number = 100 + len(self.server.issues)
            made = {
                **body,
                "number": number,
                "state": "open",
                "url": f"{base}/issues/{number}",
                "html_url": f"i{number}",
            }
            made["labels"] = [{"name": each} for each in body["labels"]]
            self.server.issues.append(made)
            self._answer(201, made)
        elif path.startswith(f"{REPOSITORY}/issues/1"):
            self.server.issues[int(path.rpartition("/")[2]) - 100].update(body)
            self._answer(200, self.server.issues[int(path.rpartition("/")[2]) - 100])
        else:
            self._answer(403, {"message": "Resource not accessible by integration"})

    do_GET = do_POST = do_PATCH = _handle  # noqa: N815 - the server's names

    def log_message(self, *_words: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def repository(server: Server, name: str = "somebody/tasks") -> Any:
    return github.repository(
        {"GITHUB_API_URL": server.address, "GITHUB_REPOSITORY": name, "GITHUB_TOKEN": "a-token-of-a-test"}
    )


def test_a_comment_is_written_over_the_one_with_its_marker(server: Server) -> None:
    server.comments.append({"id": 0, "body": "of a person", "url": "", "html_url": ""})
    first = github.comment(repository(server), 7, MARKER, "one")
    again = github.comment(repository(server), 7, MARKER, "two")
    assert first == again
    assert [each["body"] for each in server.comments] == ["of a person", f"{MARKER}\ntwo"]
    assert server.tokens == {"token a-token-of-a-test"}


def test_drift_is_one_issue_while_it_lasts_and_closed_afterwards(server: Server) -> None:
    found = repository(server)
    assert github.report_drift(found, "Drift: prod", None) == ""
    opened = github.report_drift(found, "Drift: prod", "one")
    assert github.report_drift(found, "Drift: prod", "two") == opened
    assert github.report_drift(found, "Drift: staging", "other") != opened
    assert [(each["title"], each["body"], each["state"]) for each in server.issues] == [
        ("Drift: prod", "two", "open"),
        ("Drift: staging", "other", "open"),
    ]
    github.report_drift(found, "Drift: prod", None)
    assert [each["state"] for each in server.issues] == ["closed", "open"]


def test_what_github_refuses_is_one_line(server: Server) -> None:
    with pytest.raises(LocalError, match=r"^GitHub answers 403: Resource not accessible by integration$"):
        github.comment(repository(server, "somebody/else"), 7, MARKER, "one")
    with pytest.raises(LocalError, match=r"^GitHub answers 403"):
        github.report_drift(repository(server, "somebody/else"), "Drift: prod", "one")


def test_a_run_outside_of_a_workflow_is_told_what_is_missing() -> None:
    with pytest.raises(LocalError, match=r"^GITHUB_REPOSITORY and GITHUB_TOKEN not set"):
        github.repository({})
