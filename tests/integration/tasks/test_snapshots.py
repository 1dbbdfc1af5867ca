"""Responses of several statements read from one snapshot, on the primary and on a replica."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from tests.support.api import Person, assert_problem
from tests.support.background import dispatch_events
from tests.support.commits import unacknowledged_commit
from tests.support.postgres import Postgres
from tests.support.settings import make_settings
from tests.support.storage import storage_of


@contextmanager
def after_the_first(engine: Engine, words: str, action: Callable[[], None]) -> Iterator[list[str]]:
    """Run an action once, after the first statement that contains these words; yield all statements."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if words in statement:
            seen.append(statement)
            if len(seen) == 1:
                action()

    event.listen(engine, "after_cursor_execute", note)
    yield seen
    event.remove(engine, "after_cursor_execute", note)


def done_tasks(person: Person, parts: Container) -> None:
    for _ in range(3):
        task = person.create()["id"]
        person.call("PATCH", f"/tasks/{task}", json={"status": "done"})
    dispatch_events(parts)


def deletion(parts: Container) -> Callable[[], None]:
    def delete_facts() -> None:
        with parts.database.writer.begin() as connection:
            connection.execute(text("DELETE FROM task_facts"))

    return delete_facts


def assert_consistent(statistics: dict[str, Any]) -> None:
    assert statistics["totals"]["done"] == statistics["completed"] == statistics["created"] == 3
    assert (statistics["completion_rate"], statistics["streak"]) == (1.0, 1)
    assert statistics["duration"] is not None


def test_statistics_are_read_from_one_snapshot(person: Person, container: Container) -> None:
    done_tasks(person, container)
    with after_the_first(container.database.reader, "FROM task_facts", deletion(container)) as statements:
        answer = person.call("GET", "/statistics")
    assert answer.status_code == 200, answer.text
    assert_consistent(answer.get_json())
    assert len(statements) > 2


@pytest.fixture
def replicated(postgres: Postgres, replica: Postgres, postgres_url: str, valkey: str) -> Iterator[Container]:
    """Container of a process that reads from a replica."""
    replica.catch_up(postgres)
    parts = build(make_settings(postgres_url, redis_url=valkey, database_replica_host=f"127.0.0.1:{replica.port}"))
    yield parts
    parts.database.dispose()


def test_statistics_of_a_replica_are_read_from_one_snapshot(
    replicated: Container, postgres: Postgres, replica: Postgres
) -> None:
    person = Person(create_app(replicated).test_client()).register()
    done_tasks(person, replicated)
    replica.catch_up(postgres)
    delete_facts = deletion(replicated)

    def delete_everywhere() -> None:
        delete_facts()
        replica.catch_up(postgres)

    engine = replicated.database.replicas.all[0].engine
    with after_the_first(engine, "FROM task_facts", delete_everywhere) as statements:
        answer = person.call("GET", "/statistics")
    assert_consistent(answer.get_json())
    assert len(statements) > 2
    limits: list[str] = []
    with storage_of(replicated).read_of(
        replicated.platform.tokens.verify(person.access_token).user_id, snapshot=True
    ) as work:
        limits += work.session.scalars(text("SELECT current_setting('statement_timeout')"))
    assert limits == ["15s"]


def test_a_write_whose_commit_gets_no_answer_is_not_hidden_by_a_cached_response(
    replicated: Container, postgres: Postgres
) -> None:
    person = Person(create_app(replicated).test_client()).register()
    assert person.walk() == person.walk() == []
    with unacknowledged_commit(replicated, postgres, "INSERT INTO tasks"):
        assert_problem(person.call("POST", "/tasks", json={"title": "Once"}), 503)
    assert [task["title"] for task in person.walk()] == ["Once"]
