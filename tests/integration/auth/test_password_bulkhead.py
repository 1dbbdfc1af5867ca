"""Password bulkhead: hashing does not delay other requests, on the real server."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.support.api import PASSWORD, V1
from tests.support.ports import wait_for
from tests.support.server import server

AT_ONCE = 16
HASHING = {"APP_PASSWORD_MEMORY_KIB": "47104", "APP_PASSWORD_ITERATIONS": "8", "APP_THREADS": "8"}
"""Settings under which a hash takes some tenths of a second: waiting for one is measurable."""


def test_concurrent_registrations_do_not_delay_other_requests(sqlite_url: str, tmp_path: Path) -> None:
    with (
        server(tmp_path, sqlite_url, **HASHING) as running,
        httpx.Client(base_url=f"{running.url}{V1}", timeout=120) as client,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        account = {"email": "somebody@example.com", "password": PASSWORD}
        client.post("/auth/register", json={**account, "name": "Somebody"}).raise_for_status()
        token = client.post("/auth/login", json=account).raise_for_status().json()["access_token"]

        def register(number: int) -> tuple[httpx.Response, float]:
            body = {"email": f"{number}@example.com", "password": PASSWORD, "name": "Somebody"}
            answer = client.post("/auth/register", json=body)
            return answer, time.monotonic()

        registrations = [threads.submit(register, number) for number in range(AT_ONCE)]
        wait_for(lambda: sum(each.done() for each in registrations) >= AT_ONCE // 2, "half of them are refused")
        client.get("/users/me", headers={"Authorization": f"Bearer {token}"}).raise_for_status()
        read = time.monotonic()
        answers = [each.result() for each in registrations]

    made = [ended for answer, ended in answers if answer.status_code == 201]
    refused = [answer for answer, _ in answers if answer.status_code == 503]
    assert len(made) >= 4
    assert len(made) + len(refused) == AT_ONCE
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert all(answer.headers["Content-Type"] == "application/problem+json" for answer in refused)
    assert read < min(made), "a read waited until a password was hashed"
