"""Loss and return of a real primary: no request waits for it, and those that do not need it are served."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import event

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.schema import migrate
from app.core.database.circuit_breaker import THRESHOLD
from app.core.database.engine import PATIENCE, PROBE_INTERVAL
from app.core.errors import TransientError, UnavailableError
from app.tasks.model import TaskCreate
from tests.support import postgres as servers
from tests.support.address import Address
from tests.support.api import METRICS, Person
from tests.support.ports import wait_for
from tests.support.postgres import Postgres, replica_of
from tests.support.settings import make_settings
from tests.support.storage import storage_of

NUMBERS = count(1)


class Scene:
    """A primary behind an address, its replica, and the container of a process that uses both."""

    def __init__(self, primary: Postgres, replica: Postgres, address: Address, parts: Container) -> None:
        self.primary = primary
        self.replica = replica
        self.address = address
        self.parts = parts
        self.application = create_app(parts)

    @property
    def circuit(self) -> Any:
        assert self.parts.database.circuit
        return self.parts.database.circuit

    def somebody(self) -> Person:
        return Person(self.application.test_client()).register()

    def write(self, person: Person) -> int:
        return person.call("POST", "/tasks", json={"title": "A task"}).status_code

    def read(self, person: Person) -> int:
        """Get a list that is not cached yet."""
        return person.call("GET", f"/tasks?due_before=2100-01-01T00:00:00.{next(NUMBERS):06d}Z").status_code

    def open_by(self, person: Person) -> None:
        """Write, with failures, until the circuit is open."""

        def refused() -> bool:
            assert self.write(person) == 503
            return bool(self.circuit.open)

        wait_for(refused, "the circuit opens")

    def fail_over(self) -> None:
        self.replica.execute("SELECT pg_promote()")
        self.address.lead_to(self.replica.port)


@pytest.fixture
def scene(valkey: str) -> Iterator[Scene]:
    with servers.postgres() as primary, replica_of(primary) as replica, Address(primary.port) as address:
        hosts = {"database_replica_host": f"127.0.0.1:{replica.port}", "redis_url": valkey}
        parts = build(make_settings(address.url, database_replica_lag=3600, **hosts))
        migrate(parts.database)
        yield Scene(primary, replica, address, parts)
        parts.database.dispose()


def test_in_an_outage_no_request_waits_and_reads_that_a_replica_can_answer_never_fail(scene: Scene) -> None:
    """Failing requests of one user, whose last write no replica has, must not reject another user's reads."""
    reader, hidden = scene.somebody(), scene.somebody()
    assert scene.write(reader) == 201
    scene.replica.catch_up(scene.primary)
    scene.replica.stand_still()
    assert scene.write(hidden) == 201
    scene.primary.stop()
    began = monotonic()
    while not scene.circuit.open:
        assert scene.read(hidden) == 503
        assert scene.read(reader) == 200
    assert monotonic() - began >= PATIENCE * 0.9

    connections: list[object] = []
    event.listen(scene.parts.database.writer, "do_connect", lambda *_: connections.append(1))
    waits: list[Any] = []
    event.listen(scene.parts.database.writer, "checkout", lambda *_: waits.append(1))
    for _ in range(30):
        assert scene.write(hidden) == 503
        assert scene.read(hidden) == 503
        assert scene.read(reader) == 200
    assert (connections, waits) == ([], []), "no request has asked the primary"

    scene.fail_over()
    wait_for(lambda: not scene.circuit.open, "a probe finds the new primary")
    wait_for(lambda: scene.write(hidden) == 201, "writes go on")
    assert scene.read(hidden) == 200


def test_a_read_during_which_the_primary_dies_is_answered_by_a_replica(scene: Scene) -> None:
    """It began on the primary since the replica lagged; by the time of the retry the replica has caught up."""
    person = scene.somebody()
    scene.replica.catch_up(scene.primary)
    scene.replica.stand_still()
    assert scene.write(person) == 201
    deaths: list[str] = []

    @event.listens_for(scene.parts.database.reader, "before_cursor_execute")
    def die(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not deaths and "FROM tasks" in statement:
            deaths.append(statement)
            scene.replica.catch_up(scene.primary)
            scene.primary.stop()

    assert scene.read(person) == 200
    assert len(deaths) == 1


def test_a_demoted_primary_counts_as_unavailable_until_there_is_another(scene: Scene) -> None:
    person = scene.somebody()
    assert scene.read(person) == 200
    scene.replica.catch_up(scene.primary)
    scene.address.lead_to(scene.replica.port)
    scene.parts.database.dispose()
    scene.open_by(person)
    assert scene.read(person) == 200, "of the replica"
    with pytest.raises(TimeoutError):
        wait_for(lambda: not scene.circuit.open, "a probe takes what only reads for a primary", 6 * PROBE_INTERVAL)
    scene.address.lead_to(scene.primary.port)
    wait_for(lambda: scene.write(person) == 201, "writes go on")


def test_deadlocks_do_not_open_the_circuit(scene: Scene) -> None:
    user_id = scene.parts.platform.tokens.verify(scene.somebody().access_token).user_id
    pair = [scene.parts.tasks.service.create(user_id, TaskCreate(f"Task {number}")).id for number in range(2)]
    storage, circuit = storage_of(scene.parts), scene.circuit
    failures = []
    circuit.failed = lambda: failures.append(1)

    def lock(order: list[Any], both: Barrier) -> int:
        try:
            with storage.write() as work:
                work.tasks.get(user_id, order[0], for_update=True)
                both.wait(30)
                work.tasks.get(user_id, order[1], for_update=True)
        except TransientError:
            return 1
        return 0

    undone = 0
    with ThreadPoolExecutor(2) as threads:
        for _ in range(THRESHOLD):
            both = Barrier(2)
            undone += sum(threads.map(lock, (pair, pair[::-1]), (both, both)))
    assert undone == THRESHOLD
    assert failures == []


def test_a_frozen_primary_opens_the_circuit_and_closes_it_when_it_goes_on(scene: Scene) -> None:
    person = scene.somebody()
    assert scene.read(person) == 200
    scene.replica.catch_up(scene.primary)
    storage = storage_of(scene.parts)

    def try_to_read() -> None:
        with pytest.raises(UnavailableError), storage.read() as work:
            work.users.by_email("nobody@example.com")

    with scene.primary.frozen():

        def opened() -> bool:
            with ThreadPoolExecutor(4) as threads:
                for done in [threads.submit(try_to_read) for _ in range(4)]:
                    done.result(60)
            return bool(scene.circuit.open)

        wait_for(opened, "the circuit opens")
        began = monotonic()
        for _ in range(20):
            try_to_read()
        assert monotonic() - began < 5, "twenty callers have not waited as long as one had to"
        assert scene.read(person) == 200, "of the replica"
    wait_for(lambda: scene.write(person) == 201, "writes go on")


def test_a_closed_port_opens_the_circuit(postgres_url: str) -> None:
    """Without a replica; the metric shows the open circuit."""
    del postgres_url
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        parts = build(make_settings(f"postgresql+psycopg2://postgres@127.0.0.1:{taken.getsockname()[1]}/postgres"))
        client = create_app(parts).test_client()

        def refused() -> bool:
            with pytest.raises(UnavailableError):
                parts.auth.service.login("somebody@example.com", "correct horse battery")
            return (
                'task_manager_database_circuit_open{server="primary"} 1.0'
                in client.get("/metrics", base_url=METRICS).text
            )

        wait_for(refused, "the circuit opens")
        with pytest.raises(UnavailableError) as caught:
            parts.auth.service.login("somebody@example.com", "correct horse battery")
        assert not isinstance(caught.value, TransientError), "nobody sleeps to try again"
        parts.database.dispose()
