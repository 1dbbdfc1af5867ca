"""Servers that listen on IPv4 and IPv6."""

import json
import socket
from pathlib import Path

import httpx
import pytest

from tests.support.server import server

pytestmark = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="the kernel has no IPv6")


def test_a_server_answers_both_families_and_knows_ipv4_clients_by_their_own_address(
    tmp_path: Path, sqlite_url: str
) -> None:
    with server(tmp_path, sqlite_url, APP_HOST="::") as running:
        for address in ("127.0.0.1", "[::1]"):
            assert httpx.get(f"http://{address}:{running.port}/nowhere").status_code == 404
            port = running.environment["APP_METRICS_PORT"]
            assert httpx.get(f"http://{address}:{port}/metrics").status_code == 200
        running.terminate()
        lines = [json.loads(line) for line in running.log.read_text().splitlines()]
        assert [line["remote"] for line in lines if line.get("path") == "/nowhere"] == ["127.0.0.1", "::1"]
