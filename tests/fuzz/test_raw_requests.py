"""Raw bytes, other encodings and long strings, at every operation: a running server answers each as the client's
mistake, and its liveness probe at once."""

import os
import socket
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from app.core.settings import Settings
from tests.fuzz.generated import ENDS_THE_SESSION
from tests.fuzz.raw_requests import RawRequests, operations
from tests.fuzz.test_generated_requests import administrator
from tests.support.liveness import liveness
from tests.support.server import server

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "600"))
MOST_SECONDS = 1.0
"""That a liveness probe may take."""


def status_of(port: int, request: bytes) -> int:
    """Send a request and return the status of the answer; 0 if the server closed the connection without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has read enough to answer
            connection.sendall(request)
        try:
            line = connection.makefile("rb").readline()
        except ConnectionResetError:
            return 0
    return int(line.split(b" ", 2)[1]) if line.startswith(b"HTTP/1.") else 0


@pytest.mark.parametrize("logged_in", [True, False], ids=["logged in", "not logged in"])
def test_no_raw_request_is_a_fault_or_holds_the_server(
    postgres_url: str, valkey: str, tmp_path: Path, logged_in: bool
) -> None:
    limits = {
        f"APP_{name.upper()}": "999999 per second" for name in Settings.model_fields if name.startswith("rate_limit")
    }
    token = administrator(postgres_url).access_token if logged_in else None
    with server(tmp_path, postgres_url, APP_REDIS_URL=valkey, **limits) as running, liveness(running.url) as live:
        document = httpx.get(f"{running.url}/api/v1/openapi.json").json()
        targets = operations(document, ENDS_THE_SESSION if logged_in else ())
        made = RawRequests(1, f"127.0.0.1:{running.port}", token)
        given: Counter[int] = Counter()
        for number in range(REQUESTS):
            request = made.request(targets[number % len(targets)])
            status = status_of(running.port, request)
            given[status] += 1
            assert status < 500, (status, request[:2000], running.log.read_text()[-5000:])
        if token:
            mine = httpx.get(f"{running.url}/api/v1/tags", headers={"Authorization": f"Bearer {token}"})
            assert mine.status_code == 200, "the log-in has ended on the way"
    assert live.longest <= MOST_SECONDS
    assert live.probes > 0
    assert given[400]
    assert given[422 if logged_in else 401]
    sys.stdout.write(f"{sum(given.values())} requests: {dict(sorted(given.items()))}; liveness {live.longest:.2f} s\n")
