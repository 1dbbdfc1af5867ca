"""A frozen database server, whose kernel still acknowledges: clients wait until a deadline, never for ever."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Event
from time import monotonic
from typing import Any

import psycopg2
import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.schema import migrate
from app.core.database import bulkhead
from tests.support.api import Person, assert_problem
from tests.support.ports import wait_for
from tests.support.postgres import Postgres, postgres, replica_of
from tests.support.settings import make_settings

PATIENCE = 60
"""Seconds after which no response will come any more: several times as many as any takes."""


PLACES = 5
"""Places in the primary's bulkhead, of 8 threads; one of them does not write."""

MOMENT = bulkhead.PATIENCE + 1.5
"""Seconds within which a request that does not need the primary is answered, on a busy machine too."""


@pytest.fixture(scope="module")
def primary() -> Iterator[Postgres]:
    """A server of its own: others must not be held up."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def following(primary: Postgres) -> Iterator[Postgres]:
    with replica_of(primary) as server:
        yield server


@pytest.fixture
def parts(primary: Postgres, following: Postgres, valkey: str) -> Iterator[Container]:
    replica = {"database_replica_host": f"127.0.0.1:{following.port}", "redis_url": valkey}
    built = build(make_settings(primary.url("postgres"), statement_timeout=0.5, **replica))
    migrate(built.database)
    yield built
    built.database.dispose()


@pytest.fixture
def person(parts: Container) -> Person:
    return Person(create_app(parts).test_client()).register()


def answer(person: Person, method: str, path: str, **options: Any) -> TestResponse:
    """Send a request as a client with a time-out."""
    asking = ThreadPoolExecutor(1)
    try:
        return asking.submit(person.call, method, path, **options).result(PATIENCE)
    finally:
        asking.shutdown(wait=False)


def add(person: Person, title: str) -> TestResponse:
    return answer(person, "POST", "/tasks", json={"title": title})


def write_after(person: Person) -> None:
    """Write once the primary's circuit breaker has closed: while it is open, only probes are let through."""
    wait_for(lambda: add(person, "After").status_code == 201, "writes go on", 10)


def titles(person: Person) -> list[str]:
    return [task["title"] for task in person.walk()]


def reads(parts: Container, source: str) -> float:
    return float(parts.database.replicas.reads.labels(source)._value.get())


def lists(person: Person) -> Iterator[list[str]]:
    """Request lists that are not cached yet, and return the titles of each."""
    for number in range(1_000_000):
        listed = answer(person, "GET", f"/tasks?due_before=2100-01-01T00:00:00.{number:06d}Z")
        assert listed.status_code == 200, listed.text
        yield [task["title"] for task in listed.get_json()["items"]]


def test_while_a_replica_is_frozen_the_primary_answers(
    person: Person, parts: Container, primary: Postgres, following: Postgres
) -> None:
    person.create(title="There", due_at="2030-01-01T00:00:00Z")
    following.catch_up(primary)
    asked = lists(person)
    assert next(asked) == ["There"]
    assert reads(parts, "replica") == 1
    with following.frozen():
        for _ in range(5):
            assert next(asked) == ["There"]
        assert not parts.database.replicas.all[0].in_rotation
        assert reads(parts, "replica") == 1
    wait_for(lambda: next(asked) == ["There"] and reads(parts, "replica") > 1, "the replica is asked again")


def test_while_the_primary_is_frozen_responses_say_that_it_is_unavailable(
    person: Person, primary: Postgres, following: Postgres
) -> None:
    following.stand_still()  # else it may show what was written, and answer in the primary's place
    person.create(title="Before")
    with primary.frozen():
        for _ in range(2):  # over a connection that is there, and over one that can't be made
            assert "Retry-After" in assert_503(add(person, "Meanwhile")).headers
        assert_503(answer(person, "GET", "/tasks?status=done"))
    following.go_on()
    write_after(person)
    assert sorted(titles(person)) == ["After", "Before"]


def test_of_many_writes_to_a_frozen_primary_most_are_refused_at_once_and_reads_go_on(
    person: Person, parts: Container, primary: Postgres, following: Postgres
) -> None:
    person.create(title="There", due_at="2030-01-01T00:00:00Z")
    following.catch_up(primary)
    application = create_app(parts)
    clients = [Person(application.test_client(), person.email, person.access_token) for _ in range(20)]
    asked = lists(person)

    def write(client: Person) -> float:
        began = monotonic()
        assert_503(add(client, "Meanwhile"))
        return monotonic() - began

    with primary.frozen(), ThreadPoolExecutor(len(clients)) as threads:
        writes = [threads.submit(write, client) for client in clients]
        wait_for(lambda: any(done.done() for done in writes), "somebody is refused")
        assert next(asked) == ["There"]
        waited = [done.result(PATIENCE) for done in writes]
    assert sum(seconds > MOMENT for seconds in waited) <= PLACES, waited
    write_after(person)


def test_while_no_replica_confirms_writes_the_primary_is_read(
    person: Person, parts: Container, primary: Postgres, following: Postgres
) -> None:
    person.create(title="There", due_at="2030-01-01T00:00:00Z")
    primary.confirm_with_replica()
    parts.database.dispose()  # its connections were begun before
    application = create_app(parts)
    clients = [Person(application.test_client(), person.email, person.access_token) for _ in range(20)]
    asked = lists(person)
    with ThreadPoolExecutor(len(clients)) as threads:
        with following.frozen():
            writes = [threads.submit(add, client, "Meanwhile") for client in clients]
            refused = len(clients) - (PLACES - 1)
            wait_for(lambda: sum(done.done() for done in writes) >= refused, "most are refused", MOMENT)
            assert next(asked) == ["There"]
        stored = [done.result(PATIENCE).status_code for done in writes].count(201)
    write_after(person)
    assert titles(person).count("Meanwhile") >= stored


@pytest.mark.parametrize("before", ["INSERT INTO tasks", "COMMIT"])
def test_a_write_in_which_the_primary_freezes_gets_an_answer_and_is_not_done_twice(
    person: Person, parts: Container, primary: Postgres, before: str
) -> None:
    with ExitStack() as frozen:

        def freeze() -> None:
            frozen.enter_context(primary.frozen())

        if before == "COMMIT":
            event.listen(parts.database.writer, "commit", lambda _connection: freeze(), once=True)
        else:
            first = iter([True])

            @event.listens_for(parts.database.writer, "before_cursor_execute")
            def within(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
                if statement.startswith(before) and next(first, False):
                    freeze()

        assert_503(add(person, "Meanwhile"))
    write_after(person)
    # The server may still have read the COMMIT that nobody waited for.
    assert sorted(titles(person)) in ([["After"], ["After", "Meanwhile"]] if before == "COMMIT" else [["After"]])


def assert_503(response: TestResponse) -> TestResponse:
    assert_problem(response, 503)
    return response


@pytest.fixture
def open_transaction(primary: Postgres) -> Iterator[None]:
    """Somebody else's transaction, which goes on writing until the primary is away."""
    ended = Event()

    def write() -> None:
        with primary.session() as cursor, suppress(psycopg2.Error):
            cursor.execute("BEGIN")
            while not ended.is_set():
                cursor.execute("SELECT pg_logical_emit_message(true, 'test', repeat('x', 100))")

    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(write)
        yield
        ended.set()
        writing.result(PATIENCE)


@pytest.mark.usefixtures("open_transaction")
def test_reads_after_a_write_go_on_from_a_replica(person: Person, parts: Container, primary: Postgres) -> None:
    """How far a replica has to be is known with the answer to COMMIT: nobody has to ask a primary that is away, and no
    replica has to have what others had only begun there.
    """
    primary.confirm_with_replica()
    parts.database.dispose()  # its connections were begun before
    writer = parts.database.writer
    with ExitStack() as frozen:

        def freeze(*_: Any) -> None:
            frozen.enter_context(primary.frozen())

        # as soon as the connection of the first COMMIT is given back
        event.listen(writer, "commit", lambda _: event.listen(writer, "checkin", freeze, once=True), once=True)
        stored = answer(person, "POST", "/tasks", json={"title": "Stored", "due_at": "2030-01-01T00:00:00Z"})
        assert stored.status_code == 201
        asked = "/tasks?due_before=2100-01-01T00:00:00Z"
        wait_for(lambda: answer(person, "GET", asked).status_code == 200, "the replica is there, and answers")
        assert [task["title"] for task in answer(person, "GET", asked).get_json()["items"]] == ["Stored"]
