"""Read-your-writes in any order of events: no user reads data older than their own writes."""

from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule, run_state_machine_as_test
from redis import Redis

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.http.authentication import cache_key
from tests.support.api import Person
from tests.support.postgres import Postgres
from tests.support.settings import make_settings

PROCESSES = st.integers(0, 1)


class Scene:
    """Two processes with one cache, a primary and a replica."""

    def __init__(self, primary: Postgres, replica: Postgres, parts: list[Container], redis: Redis) -> None:
        self.primary = primary
        self.replica = replica
        self.parts = parts
        self.apps = [create_app(each) for each in parts]
        self.redis = redis

    def replica_reads(self) -> float:
        return sum(float(each.database.replicas.reads.labels("replica")._value.get()) for each in self.parts)


@pytest.fixture
def scene(postgres: Postgres, replica: Postgres, postgres_url: str, valkey: str) -> Iterator[Scene]:
    replica.catch_up(postgres)
    host = f"127.0.0.1:{replica.port}"
    # A replica that a test pauses must not leave the rotation for its lag.
    given = make_settings(postgres_url, redis_url=valkey, database_replica_host=host, database_replica_lag=3600)
    parts = [build(given), build(given)]
    with Redis.from_url(valkey) as client:
        yield Scene(postgres, replica, parts, client)
    replica.go_on()
    for each in parts:
        each.database.dispose()


class OwnWrites(RuleBasedStateMachine):
    """Random writes and reads on a scene, compared with a model of the data."""

    tasks = Bundle("tasks")
    looks = Bundle("looks")

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        scene.replica.go_on()
        self.person = Person(scene.apps[0].test_client()).register()
        self.claims = scene.parts[0].platform.tokens.verify(self.person.access_token)
        self.titles: dict[str, str] = {}

    def call(self, process: int, *request: Any, **options: Any) -> Any:
        there = Person(self.scene.apps[process].test_client(), access_token=self.person.access_token)
        return there.call(*request, **options)

    @rule(target=tasks, process=PROCESSES)
    def create(self, process: int) -> str:
        title = uuid4().hex
        made: str = self.call(process, "POST", "/tasks", json={"title": title}).get_json()["id"]
        self.titles[made] = title
        return made

    @rule(process=PROCESSES, task=tasks)
    def rename(self, process: int, task: str) -> None:
        title = uuid4().hex
        assert self.call(process, "PATCH", f"/tasks/{task}", json={"title": title}).status_code == 200
        self.titles[task] = title

    @rule(process=PROCESSES, task=consumes(tasks))
    def delete(self, process: int, task: str) -> None:
        assert self.call(process, "DELETE", f"/tasks/{task}").status_code == 204
        del self.titles[task]

    @rule(process=PROCESSES, order=st.sampled_from(["created_at", "-created_at", "title"]))
    def read_the_list(self, process: int, order: str) -> None:
        answer = self.call(process, "GET", f"/tasks?sort={order}&limit=100")
        assert {item["id"]: item["title"] for item in answer.get_json()["items"]} == self.titles

    @rule(process=PROCESSES, task=tasks)
    def read_one(self, process: int, task: str) -> None:
        assert self.call(process, "GET", f"/tasks/{task}").get_json()["title"] == self.titles[task]

    @rule(target=looks, process=PROCESSES)
    def begin_to_read_slowly(self, process: int) -> tuple[bytes, bytes]:
        """Another request of the same user, which has read version and data but not cached its response yet."""
        cache = self.scene.parts[process].platform.authenticator._cache
        version = cache.lookup(self.claims.user_id, self.claims.session_id, None).version
        assert version is not None
        return version, self.call(process, "GET", "/tasks?sort=created_at&limit=100").data

    @rule(process=PROCESSES, look=consumes(looks))
    def end_reading_slowly(self, process: int, look: tuple[bytes, bytes]) -> None:
        version, body = look
        name = cache_key("/api/v1/tasks", "sort=created_at&limit=100")
        self.scene.parts[process].platform.authenticator._cache.store(self.claims.user_id, version, name, body)

    @rule()
    def the_replica_stands_still(self) -> None:
        self.scene.replica.stand_still()

    @rule()
    def the_replica_catches_up(self) -> None:
        self.scene.replica.catch_up(self.scene.primary)

    @rule()
    def redis_loses_everything(self) -> None:
        self.scene.redis.flushdb()


def test_no_read_is_older_than_the_users_writes(scene: Scene) -> None:
    run_state_machine_as_test(
        cast("Any", lambda: OwnWrites(scene)),
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert scene.replica_reads() > 0
