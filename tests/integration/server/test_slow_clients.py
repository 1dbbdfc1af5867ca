"""Slow and idle clients: they occupy no worker thread, and have a limited time budget."""

import json
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.support.api import PASSWORD, V1
from tests.support.ports import wait_for
from tests.support.server import Server, server
from tests.support.slow_clients import (
    HALF_BODY,
    HALF_CHUNKED_BODY,
    HALF_HEADER,
    KINDS,
    UNREAD_ANSWERS,
    is_ended,
    slow_clients,
)

LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
ONE_THREAD = {"APP_THREADS": "1"}
IMPATIENT = {"APP_HEADER_TIMEOUT": "0.5", "APP_CLIENT_STALL_TIMEOUT": "1"}


@contextmanager
def connected(running: Server, first: bytes = b"", receive_buffer: int = 0) -> Iterator[socket.socket]:
    with closing(socket.socket()) as connection:
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", running.port))
        connection.sendall(first)
        yield connection


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the next response."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(1)
        assert received, f"the connection has ended after {data!r}"
        data += received
    line, *lines = data.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(int(headers["content-length"]) - len(body))
    return int(line.split()[1]), headers, body


def log_in(client: httpx.Client) -> None:
    """Register a user, and set their bearer token on the client."""
    known = {"email": "somebody@example.com", "password": PASSWORD}
    assert client.post(f"{V1}/auth/register", json={**known, "name": "Somebody"}).status_code == 201
    token = client.post(f"{V1}/auth/login", json=known).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"


def is_closed(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0]) and connection.recv(1 << 16) == b""


def test_two_hundred_slow_clients_fail_none_of_twenty_requests_a_second(tmp_path: Path, sqlite_url: str) -> None:
    with (
        server(tmp_path, sqlite_url, APP_HEADER_TIMEOUT="2", APP_CLIENT_STALL_TIMEOUT="3") as running,
        slow_clients("127.0.0.1", running.port) as slow,
        httpx.Client(base_url=running.url, timeout=10) as client,
    ):
        log_in(client)
        statuses = []
        for number in range(100):
            task = client.post(f"{V1}/tasks", json={"title": f"{number}"})
            statuses += [task.status_code, httpx.get(f"{running.url}/health/live", timeout=5).status_code]
            time.sleep(0.05)
        assert set(statuses) == {200, 201}
        assert len(slow.clients) == 200
        wait_for(lambda: slow.ended.keys() >= KINDS.keys() - {"idle"}, "some of each slow kind were ended")
        assert not slow.ended["idle"]


@pytest.mark.parametrize(
    "bytes_sent", [b"", HALF_HEADER, HALF_BODY, LIVE + HALF_HEADER], ids=lambda sent: str(sent[:9])
)
def test_an_incomplete_request_occupies_no_thread(tmp_path: Path, sqlite_url: str, bytes_sent: bytes) -> None:
    with server(tmp_path, sqlite_url, **ONE_THREAD) as running, connected(running, bytes_sent):
        assert httpx.get(f"{running.url}/health/live", timeout=20).status_code == 200


def test_a_thread_blocked_on_a_chunked_body_or_an_unread_response_is_replaced(tmp_path: Path, sqlite_url: str) -> None:
    with (
        server(tmp_path, sqlite_url, APP_CLIENT_THREADS="2", **ONE_THREAD) as running,
        connected(running, HALF_CHUNKED_BODY) as chunked,
        connected(running, UNREAD_ANSWERS, receive_buffer=4096),
    ):
        assert httpx.get(f"{running.url}/health/live", timeout=20).status_code == 200
        with connected(running, HALF_CHUNKED_BODY):
            # One too many: the blocked client with the least time left is cut off.
            assert answer(chunked)[0] == 408
            assert httpx.get(f"{running.url}/health/live", timeout=20).status_code == 200


def test_a_client_that_does_not_close_its_finished_connection_delays_no_other(tmp_path: Path, sqlite_url: str) -> None:
    last = LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with server(tmp_path, sqlite_url) as running, httpx.Client(base_url=running.url) as client:
        for _ in range(3):
            client.get("/health/live")
        began = time.monotonic()
        with connected(running, last), connected(running, last), connected(running, last), connected(running, last):
            client.get("/health/live")
            # One after the other they would take 2 s each.
            assert time.monotonic() - began < 6


def test_a_header_that_arrives_too_slowly_is_408(tmp_path: Path, sqlite_url: str) -> None:
    with server(tmp_path, sqlite_url, **IMPATIENT) as running:
        with connected(running, HALF_HEADER) as connection:
            wait_for(lambda: bool(select.select([connection], [], [], 0)[0]) or not connection.send(b"x"), "an answer")
            status, headers, body = answer(connection)
            assert (status, headers["connection"], headers["content-type"]) == (
                408,
                "close",
                "application/problem+json",
            )
            assert json.loads(body)["detail"] == "The header of the request came too slowly."
            wait_for(lambda: is_closed(connection), "the connection is ended")
        counted = 'flask_http_request_total{method="UNKNOWN",status="408"} 1.0'
        assert counted in httpx.get(running.metrics_url).text
        wait_for(lambda: '"status":408' in running.log.read_text(), "it is in the log")


@pytest.mark.parametrize("half", [HALF_BODY, HALF_CHUNKED_BODY], ids=["short", "chunked"])
def test_a_body_that_arrives_too_slowly_is_408(tmp_path: Path, sqlite_url: str, half: bytes) -> None:
    with server(tmp_path, sqlite_url, **IMPATIENT) as running, connected(running, half) as connection:
        status, headers, body = answer(connection)
        assert (status, headers["connection"], headers["content-type"]) == (408, "close", "application/problem+json")
        problem = json.loads(body)
        assert (problem["detail"], problem["instance"]) == (
            "The body of the request came too slowly.",
            "/api/v1/auth/login",
        )
        assert problem["request_id"] == headers["x-request-id"]
        wait_for(lambda: is_closed(connection), "the connection is ended")
        counted = 'duration_seconds_count{method="POST",status="408",url_rule="/api/v1/auth/login"} 1.0'
        assert counted in httpx.get(running.metrics_url).text
        assert "Traceback" not in running.log.read_text()


def test_an_unread_response_resets_the_connection(tmp_path: Path, sqlite_url: str) -> None:
    with server(tmp_path, sqlite_url, **IMPATIENT) as running:
        with connected(running, UNREAD_ANSWERS, receive_buffer=4096) as connection:
            wait_for(lambda: is_ended(connection, answered=False), "the connection is reset")
        assert "Traceback" not in running.log.read_text()


def test_a_long_upload_at_a_slow_but_steady_rate_goes_on(tmp_path: Path, sqlite_url: str) -> None:
    with server(tmp_path, sqlite_url, **IMPATIENT) as running, httpx.Client(base_url=running.url) as client:
        log_in(client)
        task = client.post(f"{V1}/tasks", json={"title": "with a file"}).json()
        frame = b'--frame\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        chunk, chunks, end = b"some text\n" * 10_000, 20, b"\r\n--frame--\r\n"
        head = [
            f"POST {V1}/tasks/{task['id']}/attachments HTTP/1.1",
            "Host: x",
            f"Authorization: {client.headers['Authorization']}",
            "Content-Type: multipart/form-data; boundary=frame",
            f"Content-Length: {len(frame) + len(chunk) * chunks + len(end)}",
            "",
            "",
        ]
        began = time.monotonic()
        with connected(running, "\r\n".join(head).encode() + frame) as connection:
            for _ in range(chunks):
                connection.sendall(chunk)
                time.sleep(0.15)
            connection.sendall(end)
            assert answer(connection)[0] == 201
        assert time.monotonic() - began > 2 * float(IMPATIENT["APP_CLIENT_STALL_TIMEOUT"])


def test_pipelined_and_fragmented_requests_are_answered_in_order(tmp_path: Path, sqlite_url: str) -> None:
    login = HALF_BODY.replace(b"1000", b"2") + b"}"
    with server(tmp_path, sqlite_url, **ONE_THREAD) as running, connected(running) as connection:
        stream = LIVE + login + LIVE + login
        for start in range(0, len(stream), 37):
            connection.sendall(stream[start : start + 37])
            time.sleep(0.01)
        assert [answer(connection)[0] for _ in range(4)] == [200, 422, 200, 422]
        connection.sendall(stream)
        assert [answer(connection)[0] for _ in range(4)] == [200, 422, 200, 422]


def test_expect_100_continue_and_chunked_bodies_work(tmp_path: Path, sqlite_url: str) -> None:
    expecting = HALF_BODY.replace(b"1000\r\n", b"2\r\nExpect: 100-continue\r\n").removesuffix(b"{")
    chunked = HALF_CHUNKED_BODY.replace(b"3e8", b"1") + b"\r\n1\r\n}\r\n0\r\n\r\n"
    with server(tmp_path, sqlite_url) as running, connected(running, expecting) as connection:
        assert answer(connection)[0] == 100
        connection.sendall(b"{}")
        assert answer(connection)[0] == 422
        connection.sendall(chunked + LIVE)
        assert [answer(connection)[0] for _ in range(2)] == [422, 200]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /health/live HTTP/1.1\nHost: x\n\n", 400),
        (b"GET /" + b"a" * 9_000, 414),
        (b"GET / HTTP/1.1\r\n" + b"X-A: a\r\n" * 9_000, 431),
    ],
)
def test_a_malformed_or_oversized_request_is_rejected_without_waiting(
    tmp_path: Path, sqlite_url: str, sent: bytes, status: int
) -> None:
    with server(tmp_path, sqlite_url, APP_HEADER_TIMEOUT="600") as running, connected(running, sent) as connection:
        assert answer(connection)[0] == status


def test_idle_connections_are_closed_for_new_ones(tmp_path: Path, sqlite_url: str) -> None:
    with server(tmp_path, sqlite_url, APP_CONNECTIONS="100") as running, connected(running, LIVE) as used:
        assert answer(used)[0] == 200
        idle = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(150)]
        assert httpx.get(f"{running.url}/health/live", timeout=20).status_code == 200
        used.sendall(LIVE)
        assert answer(used)[0] == 200, "connections that have sent no request are closed first"
        for connection in idle:
            connection.close()


def test_a_probe_is_answered_while_every_thread_works(tmp_path: Path, sqlite_url: str) -> None:
    slow = {"APP_PASSWORD_MEMORY_KIB": "65536", "APP_PASSWORD_ITERATIONS": "6"}
    known = {"email": "somebody@example.com", "password": PASSWORD, "name": "Somebody"}
    with server(tmp_path, sqlite_url, **ONE_THREAD, **slow) as running, ThreadPoolExecutor(4) as threads:
        accounts = [{**known, "email": f"{number}@example.com"} for number in range(4)]
        register = partial(httpx.post, f"{running.url}{V1}/auth/register", timeout=60)
        hashed = [threads.submit(register, json=account) for account in accounts]
        for path in ("/health/live", "/health/ready"):
            assert httpx.get(f"{running.url}{path}", timeout=60).status_code == 200
        assert not all(one.done() for one in hashed), "the probes queued behind them"
    assert [one.result().status_code for one in hashed] == [201] * 4
