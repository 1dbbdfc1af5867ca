"""Termination of a pod: no request is lost, keep-alive connections included."""

import http.client
import json
import select
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx

from tests.support.draining import Service, clients_of, outcomes_of
from tests.support.ports import wait_for
from tests.support.server import server

DRAIN = 2.0
"""Duration of the preStop hook in seconds (5 in a pod)."""

A_LOOK = 0.2
"""Seconds after which a server has noticed the drain file, which it polls ten times a second."""

ENDPOINT_LAG = 0.5
"""Seconds until new connections go elsewhere, like the delay of kube-proxy."""


def test_a_pod_that_terminates_under_load_loses_no_request(tmp_path: Path, sqlite_url: str) -> None:
    with server(tmp_path, sqlite_url) as leaving, server(tmp_path, sqlite_url) as staying:
        service = Service(leaving.port)
        with clients_of(service) as clients:
            hook = leaving.drain(DRAIN)
            time.sleep(ENDPOINT_LAG)
            service.port = staying.port
            assert hook.wait(20) == 0
            assert leaving.terminate() == 0
            seen = [client.ports[staying.port] for client in clients]
            wait_for(
                lambda: all(client.ports[staying.port] > n for client, n in zip(clients, seen, strict=True)),
                "every client has moved",
            )
    total = outcomes_of(clients)
    assert set(total) == {"200"}, total
    assert sum(client.ports[leaving.port] for client in clients) > 100


def test_while_draining_every_answer_closes_its_connection_and_a_restart_forgets_it(
    tmp_path: Path, sqlite_url: str
) -> None:
    with server(tmp_path, sqlite_url) as running, httpx.Client(base_url=running.url) as client:
        assert client.get("/health/live").headers["Connection"] == "keep-alive"
        assert running.drain(A_LOOK).wait(20) == 0
        for _ in range(3):
            response = client.get("/health/ready")
            assert (response.status_code, response.headers["Connection"]) == (200, "close")
        mark = Path(running.environment["APP_DRAIN_FILE"])
        assert mark.exists()
    with server(tmp_path, sqlite_url, APP_DRAIN_FILE=str(mark)) as restarted:
        assert httpx.get(f"{restarted.url}/health/live").headers["Connection"] == "keep-alive"


def test_sigterm_lets_a_running_request_finish(tmp_path: Path, sqlite_url: str) -> None:
    with (
        server(tmp_path, sqlite_url) as running,
        closing(sqlite3.connect(tmp_path / "tasks.sqlite", isolation_level=None)) as other,
        closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)) as connection,
    ):
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        # the request can't finish while another connection holds the write lock
        other.execute("BEGIN IMMEDIATE")
        body = json.dumps({"email": "slow@example.com", "password": "some password", "name": "Slow"})
        connection.request("POST", "/api/v1/auth/register", body, {"Content-Type": "application/json"})
        with ThreadPoolExecutor(1) as threads:
            end = threads.submit(running.terminate)
            wait_for(lambda: "signal: term" in running.log.read_text(), "the server has got TERM")
            assert select.select([connection.sock], [], [], 0)[0] == []
            other.execute("COMMIT")
            assert connection.getresponse().status == 201
            assert end.result() == 0
