"""Ended sessions over RabbitMQ: refused within a second, also behind a backlog of other events."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from app.bootstrap.container import build
from app.core.clock import new_id, utc_now
from app.core.database.engine import connect
from app.core.database.unit_of_work import UnitOfWork
from app.core.events.model import Event
from app.core.events.queue_consumer import PREFETCH, QueueConsumer
from app.core.events.rabbitmq import Broker, RabbitTransport
from app.core.events.topology import ServiceQueue, declare
from app.core.sessions.events import ends_requested
from app.core.sessions.remote_states import RemoteSessionStates
from tests.support.api import V1
from tests.support.ports import wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.server import server
from tests.support.settings import make_settings
from tests.support.storage import SystemStorage

LOG_OUTS = 5


def test_a_log_out_is_effective_at_another_service_within_a_second_however_seldom_jobs_are_polled(
    rabbitmq: RabbitMq, valkey: str, migrated_sqlite: bytes, tmp_path: Path
) -> None:
    urls = {name: f"sqlite:///{tmp_path / name}.sqlite" for name in ("auth", "tasks")}
    for name in urls:
        (tmp_path / f"{name}.sqlite").write_bytes(migrated_sqlite)
    own = {"APP_EVENTS_URL": rabbitmq.url, "APP_JOB_POLL": "10", "APP_REDIS_URL": valkey}
    with server(tmp_path, urls["auth"], "auth", APP_REDIS_PREFIX="auth:", **own) as auth:
        keys = {"APP_JWKS_URL": f"{auth.url}/.well-known/jwks.json"}
        with server(tmp_path, urls["tasks"], "tasks", APP_REDIS_PREFIX="tasks:", **own, **keys) as tasks:
            account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
            httpx.post(f"{auth.url}{V1}/auth/register", json={**account, "name": "Grace"}).raise_for_status()
            times = [log_out(auth.url, tasks.url, account) for _ in range(LOG_OUTS)]
    assert median(times) < 1, times


def test_a_service_that_has_had_nothing_to_do_takes_an_event_at_once(
    rabbitmq: RabbitMq, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(sqlite_url, events_url=SecretStr(rabbitmq.url), job_poll=10)
    parts = build(settings, services=("tasks",))
    idle = threading.Event()
    run_once = QueueConsumer.run_once

    def noting(consumer: QueueConsumer) -> bool:
        worked = run_once(consumer)
        if not worked:
            idle.set()
        return worked

    monkeypatch.setattr(QueueConsumer, "run_once", noting)
    [loop] = [loop for loop in parts.background.loops if loop.name == "events of tasks"]
    transport = RabbitTransport(Broker(settings), ())
    loop.start()
    try:
        assert idle.wait(30)
        ended, user_id = uuid4(), uuid4()
        payload = {"session_id": str(ended), "tokens_expire_at": utc_now().isoformat()}
        transport.publish([Event(new_id(), "session.ended", user_id, utc_now(), payload)])
        states = RemoteSessionStates(parts.platform.storage(UnitOfWork))
        wait_for(lambda: states.ended(user_id, ended), "the session has ended", 5)
    finally:
        loop.stop(10)
        transport.close()
        parts.database.dispose()


def test_a_service_with_a_new_queue_learns_of_the_sessions_that_have_ended_before(
    rabbitmq: RabbitMq, migrated_sqlite: bytes, tmp_path: Path
) -> None:
    urls = {name: f"sqlite:///{tmp_path / name}.sqlite" for name in ("auth", "tasks")}
    for name in urls:
        (tmp_path / f"{name}.sqlite").write_bytes(migrated_sqlite)
    own = {"APP_EVENTS_URL": rabbitmq.url, "APP_JOB_POLL": "0.1"}
    with Broker(make_settings(urls["auth"], events_url=SecretStr(rabbitmq.url))).connected() as connection:
        declare(connection, [ServiceQueue("analytics", ("session.ended", "user.deleted", "user.registered"))])
    with server(tmp_path, urls["auth"], "auth", **own) as auth:
        tokens = [ended(auth.url, by_deletion) for by_deletion in (False, True)]
        outbox = SystemStorage(connect(make_settings(urls["auth"])))

        def published() -> bool:
            with outbox.read() as work:
                return work.outbox.backlog()[0] == 0

        wait_for(published, "the events went to the others")
        keys = f"{auth.url}/.well-known/jwks.json"
        with server(tmp_path, urls["tasks"], "tasks", APP_JWKS_URL=keys, **own) as tasks:
            wait_for(lambda: {status(tasks.url, token) for token in tokens} == {401}, "both are refused")


def test_what_may_have_been_missed_is_requested_with_each_new_connection(rabbitmq: RabbitMq) -> None:
    settings = make_settings("sqlite:///:memory:", events_url=SecretStr(rabbitmq.url))
    auth, broker = ServiceQueue("auth", ("ended_sessions.requested",)), Broker(settings)
    with broker.connected() as connection:
        declare(connection, [auth])
    tasks = ServiceQueue("tasks")
    consumer = QueueConsumer(broker, tasks, lambda _events: None, lambda: ends_requested(new_id, utc_now()))
    for number in (1, 2):
        for _ in range(2):
            consumer.run_once()
        assert rabbitmq.depth(auth.name) == number
        broker.drop()
    consumer.close()


def ended(auth: str, by_deletion: bool) -> str:
    """Return the access token of a new user's session that has ended."""
    account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
    with httpx.Client(base_url=f"{auth}{V1}") as client:
        client.post("/auth/register", json={**account, "name": "Grace"}).raise_for_status()
        token = str(client.post("/auth/login", json=account).raise_for_status().json()["access_token"])
        client.headers["Authorization"] = f"Bearer {token}"
        if by_deletion:
            client.request("DELETE", "/users/me", json={"password": account["password"]}).raise_for_status()
        else:
            client.post("/auth/logout").raise_for_status()
    return token


def status(tasks: str, token: str) -> int:
    return httpx.get(f"{tasks}{V1}/tasks", headers={"Authorization": f"Bearer {token}"}).status_code


def log_out(auth: str, tasks: str, account: dict[str, str]) -> float:
    """Log in and out; return for how many seconds the tasks service takes the token afterwards."""
    pair = httpx.post(f"{auth}{V1}/auth/login", json=account).raise_for_status().json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert httpx.get(f"{tasks}{V1}/tasks", headers=headers).status_code == 200
    httpx.post(f"{auth}{V1}/auth/logout", headers=headers).raise_for_status()
    began = time.monotonic()
    with httpx.Client(headers=headers) as client:
        wait_for(lambda: client.get(f"{tasks}{V1}/tasks").status_code == 401, "the token is refused")
    return time.monotonic() - began


def test_an_ended_session_overtakes_a_backlog_of_other_events(rabbitmq: RabbitMq) -> None:
    settings = make_settings("sqlite:///:memory:", events_url=SecretStr(rabbitmq.url))
    queue = ServiceQueue("tasks", ("thing.happened", "session.ended"))
    delivered: list[str] = []

    def deliver(events: Sequence[Event]) -> None:
        delivered.extend(event.name for event in events)

    transport = RabbitTransport(Broker(settings), [queue])
    consumer = QueueConsumer(Broker(settings), queue, deliver)
    transport.publish([Event(new_id(), "thing.happened", None, utc_now()) for _ in range(10 * PREFETCH)])
    transport.publish([Event(new_id(), "session.ended", uuid4(), utc_now())])
    wait_for(lambda: rabbitmq.depth(queue.name) == 10 * PREFETCH + 1, "all of them wait")
    wait_for(lambda: consumer.run_once() and "session.ended" in delivered, "it is delivered")
    transport.close()
    consumer.close()
    assert delivered.index("session.ended") < 2 * PREFETCH
