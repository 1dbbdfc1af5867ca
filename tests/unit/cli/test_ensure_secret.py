"""`ensure-secret` against a fake API server."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.cli import cluster as module
from app.cli.cluster import Cluster
from app.cli.ensure_secret import ensure_secret

PATH = "/api/v1/namespaces/shop/secrets"
KEYS = ["secret-key", "other-key"]


class ApiServer(ThreadingHTTPServer):
    """Secrets with resource versions and conflicts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.secrets: dict[str, dict[str, Any]] = {}
        self.version = 0
        self.refuse = 0
        self.racer: dict[str, Any] | None = None

    def store(self, name: str, data: dict[str, str]) -> dict[str, Any]:
        self.version += 1
        self.secrets[name] = {"metadata": {"name": name, "resourceVersion": str(self.version)}, "data": data}
        return self.secrets[name]


class Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Bearer the-token"
        if self.server.refuse:
            return self.answer(self.server.refuse, {})
        found = self.server.secrets.get(self.path.removeprefix(f"{PATH}/"))
        if self.server.racer is not None:  # another writer wins once: the response is stale on arrival
            self.server.store("keys", self.server.racer)
            self.server.racer = None
        return self.answer(200, found) if found else self.answer(404, {})

    def do_POST(self) -> None:
        body = self.body()
        assert self.path == PATH
        name = body["metadata"]["name"]
        if name in self.server.secrets:
            return self.answer(409, {})
        return self.answer(201, self.server.store(name, body["data"]))

    def do_PATCH(self) -> None:
        body = self.body()
        assert self.headers["Content-Type"] == "application/merge-patch+json"
        found = self.server.secrets[self.path.removeprefix(f"{PATH}/")]
        if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
            return self.answer(409, {})
        return self.answer(200, self.server.store("keys", {**found["data"], **body["data"]}))

    def log_message(self, *_arguments: Any) -> None:
        """Suppress the access log."""


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cluster(api: ApiServer) -> Cluster:
    cluster = Cluster.__new__(Cluster)  # without a pod's files
    cluster.namespace = "shop"
    cluster._base = f"http://127.0.0.1:{api.server_address[1]}"
    cluster._token = "the-token"
    cluster._tls = ssl.create_default_context()
    return cluster


def values(api: ApiServer) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in api.secrets["keys"]["data"].items()}


def test_a_missing_secret_is_made_of_random_values(
    api: ApiServer, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ensure_secret("keys", KEYS, None, cluster) == 0
    made = values(api)
    assert list(made) == KEYS
    assert len(set(made.values())) == 2
    assert all(len(base64.urlsafe_b64decode(value)) == 48 for value in made.values())
    printed = capsys.readouterr()
    assert not any(value in printed.out + printed.err for value in made.values())


def test_existing_values_stay_and_missing_ones_are_added(api: ApiServer, cluster: Cluster) -> None:
    api.store("keys", {"secret-key": base64.b64encode(b"old").decode()})
    assert ensure_secret("keys", KEYS, "shop", cluster) == 0
    assert values(api)["secret-key"] == "old"
    assert len(values(api)["other-key"]) == 64
    version = api.version
    assert ensure_secret("keys", KEYS, "shop", cluster) == 0
    assert api.version == version


def test_values_that_are_not_secret_are_set_and_updated(api: ApiServer, cluster: Cluster) -> None:
    for role in ("former", "later"):
        assert ensure_secret("keys", ["password"], None, cluster, values={"username": "x", "role": role}) == 0
        assert values(api)["role"] == role
    assert list(values(api)) == ["password", "username", "role"]
    password, version = values(api)["password"], api.version
    assert ensure_secret("keys", ["password"], None, cluster, values={"username": "x", "role": "later"}) == 0
    assert (values(api)["password"], api.version) == (password, version)


@pytest.mark.parametrize("before", [None, {}])
def test_of_two_concurrent_writers_the_first_wins(
    api: ApiServer, cluster: Cluster, before: dict[str, str] | None
) -> None:
    if before is not None:
        api.store("keys", before)
    api.racer = {"secret-key": base64.b64encode(b"theirs").decode()}
    assert ensure_secret("keys", KEYS, None, cluster) == 0
    assert values(api)["secret-key"] == "theirs"
    assert len(values(api)["other-key"]) == 64


def test_missing_permissions_are_reported_in_one_line(
    api: ApiServer, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    api.refuse = 403
    assert ensure_secret("keys", KEYS, None, cluster) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "403" in error


def test_outside_a_pod_the_error_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(module, "ACCOUNT", tmp_path)
    assert ensure_secret("keys", KEYS, None) == 1
    assert "pod" in capsys.readouterr().err
