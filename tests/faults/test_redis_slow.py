"""A slow Redis: its circuit breaker opens, and requests are served from the database."""

import json
from itertools import count
from pathlib import Path

import httpx
from redis import Redis

from tests.support.address import Address
from tests.support.api import PASSWORD, V1
from tests.support.ports import wait_for
from tests.support.server import server

REQUESTS = 200
DELAY = 0.5
"""Seconds: twice as long as a request waits for Redis."""


def test_no_request_fails_and_soon_none_asks_redis_while_it_is_slow(
    postgres_url: str, valkey: str, tmp_path: Path
) -> None:
    numbers = count()

    def redis_failures() -> list[str]:
        """Return the log's reasons for reads without Redis: a time-out, or an open circuit breaker."""
        lines = map(json.loads, started.log.read_text().splitlines())
        return [line["error"] for line in lines if line["event"].startswith("redis away")]

    def read() -> None:
        """Read a list that is not cached yet."""
        answer = client.get("/tasks", params={"due_before": f"2100-01-01T00:00:00.{next(numbers):06d}Z"})
        assert answer.status_code == 200, answer.text

    def asks_redis() -> bool:
        """Tell whether a read asks Redis."""
        before = len(redis_failures())
        read()
        said = redis_failures()[before:]
        return not said or set(said) != {"not asked"}

    port = Redis.from_url(valkey).connection_pool.connection_kwargs["port"]
    with (
        Address(port) as address,
        server(tmp_path, postgres_url, APP_REDIS_URL=f"redis://127.0.0.1:{address.port}") as started,
        httpx.Client(base_url=f"{started.url}{V1}", timeout=30) as client,
    ):
        account = {"email": "somebody@example.com", "password": PASSWORD}
        client.post("/auth/register", json={**account, "name": "Somebody"}).raise_for_status()
        token = client.post("/auth/login", json=account).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        task = client.post("/tasks", json={"title": "New"}).raise_for_status().json()["id"]
        assert asks_redis()
        address.delay = DELAY
        wait_for(lambda: not asks_redis(), "requests do without Redis")
        before = len(redis_failures())
        for _ in range(REQUESTS):
            read()
        for number in range(20):
            changed = client.patch(f"/tasks/{task}", json={"title": f"Number {number}"})
            assert changed.status_code == 200, changed.text
            assert client.get(f"/tasks/{task}").json()["title"] == f"Number {number}"
        assert set(redis_failures()[before:]) == {"not asked"}
        address.delay = 0
        wait_for(asks_redis, "Redis is asked again")
