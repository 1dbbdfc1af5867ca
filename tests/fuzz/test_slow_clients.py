"""Slow clients while requests are made up: the server answers its liveness probe within a second all the while."""

import threading
import time
from pathlib import Path

import httpx

from tests.fuzz.test_generated_requests import answers, generate
from tests.support.server import server
from tests.support.slow_clients import slow_clients

PROBE_SECONDS = 1.0


def test_the_server_says_within_a_second_that_it_lives_whatever_clients_do(tmp_path: Path, postgres_url: str) -> None:
    waits: list[float] = []
    stop = threading.Event()
    with server(tmp_path, postgres_url, APP_RATE_LIMIT="999999 per second") as running:

        def probe() -> None:
            while not stop.wait(0.1):
                began = time.monotonic()
                assert httpx.get(f"{running.url}/health/live", timeout=30).status_code == 200
                waits.append(time.monotonic() - began)

        prober = threading.Thread(target=probe)
        with slow_clients("127.0.0.1", running.port) as slow:
            prober.start()
            run = generate(running, 1)
            stop.set()
            prober.join()
        given = answers(running)
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr
    assert [status for status in given if status.startswith("5")] == []
    assert len(slow.clients) == 200
    assert waits
    assert max(waits) < PROBE_SECONDS
