"""Reads from a real streaming replica: never older than the user's writes, and never failing for lack of a replica."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import event, text

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.schema import migrate
from app.core.cache.redis import RedisUserCache
from app.core.database.circuit_breaker import THRESHOLD
from app.core.database.replicas import SOURCES
from tests.support import postgres as servers
from tests.support.api import METRICS, Person, assert_problem
from tests.support.commits import unacknowledged_commit
from tests.support.ports import free_port, wait_for
from tests.support.postgres import Postgres, replica_of
from tests.support.settings import make_settings


@pytest.fixture
def start(postgres_url: str, valkey: str) -> Iterator[Callable[..., Container]]:
    """Build the container of one more process."""
    started: list[Container] = []

    def begin(replica: Postgres, **more: Any) -> Container:
        hosts = {"database_replica_host": f"127.0.0.1:{replica.port}", "redis_url": valkey, **more}
        started.append(build(make_settings(postgres_url, **hosts)))
        return started[-1]

    yield begin
    for parts in started:
        parts.database.dispose()


@pytest.fixture
def following(postgres: Postgres, replica: Postgres, postgres_url: str) -> Iterator[Postgres]:
    """The replica, with the test's database on it."""
    del postgres_url
    replica.catch_up(postgres)
    yield replica
    replica.go_on()


def reads(parts: Container) -> dict[str, int]:
    return {name: int(parts.database.replicas.reads.labels(name)._value.get()) for name in SOURCES}


def somebody(parts: Container) -> Person:
    return Person(create_app(parts).test_client()).register()


def titles(person: Person, number: int = 0) -> list[str]:
    """Return the titles of a list; each number is a different list, which is not cached yet."""
    response = person.call("GET", f"/tasks?due_before=2100-01-01T00:00:00.{number:06d}Z")
    assert response.status_code == 200, response.text
    return [item["title"] for item in response.get_json()["items"]]


def a_task(person: Person, title: str) -> str:
    identifier: str = person.create(title=title, due_at="2030-01-01T00:00:00Z")["id"]
    return identifier


def test_reads_go_to_a_replica_once_it_has_the_users_writes(
    start: Callable[..., Container], postgres: Postgres, following: Postgres
) -> None:
    parts = start(following)
    person = somebody(parts)
    following.stand_still()
    a_task(person, "New")
    assert titles(person, 1) == ["New"]
    assert reads(parts)["replica"] == 0
    assert reads(parts)["behind"] == 1
    following.catch_up(postgres)
    assert titles(person, 2) == ["New"]
    assert reads(parts)["replica"] == 1


def test_of_several_replicas_one_with_the_users_writes_is_found(
    start: Callable[..., Container], postgres: Postgres, following: Postgres
) -> None:
    """As after the loss of a primary: perhaps only one replica has the user's last write."""
    with replica_of(postgres) as other:
        other.catch_up(postgres)
        parts = start(following, database_replica_host=f"127.0.0.1:{following.port} 127.0.0.1:{other.port}")
        person = somebody(parts)
        following.stand_still()
        a_task(person, "New")
        other.catch_up(postgres)
        assert [titles(person, number) for number in range(1, 5)] == [["New"]] * 4
        assert reads(parts) == {"replica": 4, "behind": 0, "out": 0, "unknown": 0, "late": 0}
        parts.database.dispose()


def test_the_position_is_shared_between_processes(
    start: Callable[..., Container], postgres: Postgres, following: Postgres
) -> None:
    writer, reader = start(following), start(following)
    person = somebody(writer)
    task = a_task(person, "Old")
    there = Person(create_app(reader).test_client(), access_token=person.access_token)
    following.catch_up(postgres)
    assert titles(there, 1) == ["Old"]
    assert reads(reader)["replica"] == 1
    following.stand_still()
    person.call("PATCH", f"/tasks/{task}", json={"title": "New"})
    assert there.call("GET", f"/tasks/{task}").get_json()["title"] == "New"
    assert titles(there, 1) == ["New"]
    assert reads(reader)["behind"] == 2


def test_without_recent_writes_a_user_reads_from_a_replica_that_lags(
    start: Callable[..., Container], postgres: Postgres, following: Postgres
) -> None:
    parts = start(following)
    quiet, busy = somebody(parts), somebody(parts)
    titles(quiet)
    following.catch_up(postgres)
    following.stand_still()
    a_task(busy, "New")
    before = reads(parts)["replica"]
    assert titles(quiet, 1) == []
    assert reads(parts)["replica"] == before + 1


def test_a_position_survives_the_loss_of_the_redis_data(
    start: Callable[..., Container], following: Postgres, valkey: str
) -> None:
    from redis import Redis

    parts = start(following)
    person = somebody(parts)
    following.stand_still()
    a_task(person, "New")
    with Redis.from_url(valkey) as client:
        client.flushall()
    assert titles(person, 1) == ["New"]


def test_of_two_commits_the_higher_lsn_counts(start: Callable[..., Container], following: Postgres) -> None:
    """The commit with the higher LSN may be reported first."""
    parts = start(following)
    person = somebody(parts)
    claims = parts.platform.tokens.verify(person.access_token)
    cache = parts.platform.authenticator._cache
    assert isinstance(cache, RedisUserCache)
    for position in (1 << 60, 1):
        cache.changed([claims.user_id], position)
        assert cache.lookup(claims.user_id, claims.session_id, None).position == 1 << 60


def test_a_replica_that_lags_too_far_leaves_rotation_and_comes_back(
    start: Callable[..., Container], postgres: Postgres, following: Postgres
) -> None:
    parts = start(following, database_replica_lag=0.2)
    quiet, busy = somebody(parts), somebody(parts)
    titles(quiet)
    following.catch_up(postgres)
    following.stand_still()
    a_task(busy, "New")
    asked = iter(range(1, 1000))

    def out() -> bool:
        titles(quiet, next(asked))
        return reads(parts)["out"] > THRESHOLD

    wait_for(out, "the replica is out of rotation")
    metrics = quiet.client.get("/metrics", base_url=METRICS).text
    assert f'task_manager_database_replica_in_rotation{{server="127.0.0.1:{following.port}"}} 0.0' in metrics
    before = reads(parts)["replica"]
    following.catch_up(postgres)

    def back() -> bool:
        titles(quiet, next(asked))
        return reads(parts)["replica"] > before

    wait_for(back, "the replica is in rotation again")
    assert f'task_manager_database_replica_in_rotation{{server="127.0.0.1:{following.port}"}} 1.0' in (
        quiet.client.get("/metrics", base_url=METRICS).text
    )


def test_reads_fall_back_to_the_primary_while_no_replica_answers(start: Callable[..., Container]) -> None:
    parts = start(Postgres(free_port()))
    person = somebody(parts)
    a_task(person, "New")
    for number in range(2 * THRESHOLD):
        assert titles(person, number) == ["New"]
    assert reads(parts) == {"replica": 0, "behind": 0, "out": 2 * THRESHOLD, "unknown": 0, "late": 0}


@pytest.fixture
def alone(valkey: str) -> Iterator[tuple[Postgres, Postgres, Container]]:
    """A primary that can be stopped, its replica, which then soon lags too far, and the container of a process."""
    with servers.postgres() as primary, replica_of(primary) as following:
        primary.confirm_with_replica()
        hosts = {"database_replica_host": f"127.0.0.1:{following.port}", "redis_url": valkey}
        parts = build(make_settings(primary.url("postgres"), database_replica_lag=0.2, **hosts))
        migrate(parts.database)
        yield primary, following, parts
        parts.database.dispose()


def test_while_the_primary_is_unavailable_a_replica_answers_at_any_lag(
    alone: tuple[Postgres, Postgres, Container],
) -> None:
    primary, following, parts = alone
    person = somebody(parts)
    a_task(person, "New")
    following.catch_up(primary)
    primary.stop()
    asked = iter(range(1, 1000))

    def late() -> bool:
        assert titles(person, next(asked)) == ["New"]
        return reads(parts)["late"] > THRESHOLD

    wait_for(late, "the replica is out of rotation")


def test_while_the_primary_is_unavailable_no_replica_hides_the_users_writes(
    alone: tuple[Postgres, Postgres, Container],
) -> None:
    primary, following, parts = alone
    person = somebody(parts)
    following.stand_still()
    a_task(person, "New")
    primary.stop()
    assert_problem(person.call("GET", "/tasks"), 503)
    following.go_on()
    wait_for(lambda: person.call("GET", "/tasks").status_code == 200, "the replica shows it")
    assert titles(person, 1) == ["New"]


def test_an_unknown_commit_stops_no_reads_while_the_primary_is_unavailable(
    alone: tuple[Postgres, Postgres, Container],
) -> None:
    primary, following, parts = alone
    person = somebody(parts)
    a_task(person, "Acknowledged")
    with unacknowledged_commit(parts, primary, "INSERT INTO tasks"):
        assert_problem(person.call("POST", "/tasks", json={"title": "Unknown"}), 503)
    following.catch_up(primary)
    primary.stop()
    for number in range(1, 10):
        assert "Acknowledged" in titles(person, number)


def test_an_unknown_commit_is_visible_as_soon_as_the_primary_answers(
    start: Callable[..., Container], postgres: Postgres, following: Postgres
) -> None:
    """From the primary, and not from a response that was cached after a read from a replica."""
    parts = start(following)
    person = somebody(parts)
    a_task(person, "Acknowledged")
    following.catch_up(postgres)
    following.stand_still()
    with unacknowledged_commit(parts, postgres, "INSERT INTO tasks"):
        answer = person.call("POST", "/tasks", json={"title": "Unknown", "due_at": "2030-01-01T00:00:00Z"})
    assert_problem(answer, 503)
    with patch.object(parts.database.circuit, "refuses", return_value=True):
        assert titles(person) == ["Acknowledged"]
    assert sorted(titles(person)) == ["Acknowledged", "Unknown"]


def test_a_read_that_fails_on_its_replica_is_retried_on_the_primary(
    start: Callable[..., Container], postgres: Postgres, following: Postgres
) -> None:
    parts = start(following)
    person = somebody(parts)
    a_task(person, "New")
    following.catch_up(postgres)
    [replica] = parts.database.replicas.all

    @event.listens_for(replica.engine, "before_cursor_execute")
    def break_off(connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM tasks" in statement:
            backend = connection.connection.dbapi_connection.info.backend_pid
            following.execute(f"SELECT pg_terminate_backend({backend}, 5000)")

    assert titles(person, 1) == ["New"]
    assert reads(parts)["replica"] == 1


def test_a_replica_whose_connection_is_lost_by_the_rollback_leaves_the_read_to_the_primary(
    start: Callable[..., Container], following: Postgres
) -> None:
    parts = start(following)
    person = somebody(parts)
    following.stand_still()
    a_task(person, "New")
    [replica] = parts.database.replicas.all

    @event.listens_for(replica.engine, "rollback")
    def break_off(connection: Any) -> None:
        backend = connection.connection.dbapi_connection.info.backend_pid
        following.execute(f"SELECT pg_terminate_backend({backend}, 5000)")

    assert titles(person, 1) == ["New"]


def test_a_replica_that_was_promoted_is_not_read_from(
    start: Callable[..., Container], postgres: Postgres, postgres_url: str
) -> None:
    """A server that is no longer a replica may have diverged from the primary."""
    del postgres_url
    with replica_of(postgres) as promoted:
        parts = start(promoted)
        person = somebody(parts)
        a_task(person, "New")
        promoted.catch_up(postgres)
        assert titles(person, 1) == ["New"]
        assert reads(parts)["replica"] == 1
        promoted.execute("SELECT pg_promote()")
        assert titles(person, 2) == ["New"]
        assert reads(parts)["replica"] == 1
        assert reads(parts)["out"] == 1


def test_reads_go_to_the_primary_while_redis_is_unavailable(
    start: Callable[..., Container], following: Postgres, redis: Any
) -> None:
    parts = start(following, redis_url=redis.connection_url)
    person = somebody(parts)
    following.stand_still()
    os.kill(redis._process.pid, signal.SIGSTOP)
    try:
        a_task(person, "New")
        assert titles(person, 1) == ["New"]
    finally:
        os.kill(redis._process.pid, signal.SIGCONT)
    assert reads(parts)["replica"] == 0


def test_no_session_settings_leak_to_the_connections_next_client(
    start: Callable[..., Container], following: Postgres
) -> None:
    """A pooler hands a connection from one client to another between transactions."""
    parts = start(following)
    titles(somebody(parts))
    for engine in (parts.database.reader, parts.database.replicas.all[0].engine):
        with engine.connect() as connection:
            assert connection.scalar(text("SHOW statement_timeout")) == "15s"
            connection.rollback()
            driver: Any = connection.connection.dbapi_connection
            driver.autocommit = True
            with driver.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                assert cursor.fetchone() == ("0",)
