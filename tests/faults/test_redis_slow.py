"""Redis takes half a second for each answer: the database answers instead, in the time that it takes."""

import sys
import time
from itertools import count
from pathlib import Path

import httpx
from redis import Redis

from tests.support.address import Address
from tests.support.api import PASSWORD, V1
from tests.support.ports import wait_for
from tests.support.server import server

REQUESTS = 500
DELAY = 0.5
"""Seconds."""


def test_a_slow_redis_fails_no_request_and_makes_hardly_any_wait(
    postgres_url: str, valkey: str, tmp_path: Path
) -> None:
    """Two servers are asked in turn, one of which has a slow Redis: what else the machine does slows both."""
    numbers = count()

    def read(client: httpx.Client) -> float:
        """Read a list that is not kept yet; return how long it took."""
        began = time.perf_counter()
        answer = client.get("/tasks", params={"due_before": f"2100-01-01T00:00:00.{next(numbers):06d}Z"})
        assert answer.status_code == 200, answer.text
        return time.perf_counter() - began

    port = Redis.from_url(valkey).connection_pool.connection_kwargs["port"]
    with (
        Address(port) as address,
        server(tmp_path, postgres_url, APP_REDIS_URL=f"redis://127.0.0.1:{address.port}") as afflicted,
        server(tmp_path, postgres_url, APP_REDIS_URL=valkey) as sound,
        httpx.Client(base_url=f"{afflicted.url}{V1}", timeout=30) as slow,
        httpx.Client(base_url=f"{sound.url}{V1}", timeout=30) as uncached,
    ):
        account = {"email": "somebody@example.com", "password": PASSWORD}
        slow.post("/auth/register", json={**account, "name": "Somebody"}).raise_for_status()
        token = slow.post("/auth/login", json=account).raise_for_status().json()["access_token"]
        for client in (slow, uncached):
            client.headers["Authorization"] = f"Bearer {token}"
        task = slow.post("/tasks", json={"title": "New"}).raise_for_status().json()["id"]
        address.delay = DELAY
        wait_for(lambda: max(read(slow) for _ in range(20)) < DELAY / 2, "requests do without Redis")
        pairs = [(read(slow), read(uncached)) for _ in range(REQUESTS)]
        for number in range(20):
            changed = slow.patch(f"/tasks/{task}", json={"title": f"Number {number}"})
            assert changed.status_code == 200, changed.text
            assert slow.get(f"/tasks/{task}").json()["title"] == f"Number {number}"
    last = REQUESTS * 99 // 100
    with_slow, without = (1000 * sorted(times)[last] for times in zip(*pairs, strict=True))
    words = f"99 % of reads within {with_slow:.1f} ms, uncached {without:.1f} ms"
    assert with_slow <= 2 * without, words
    sys.stdout.write(f"{words}\n")
