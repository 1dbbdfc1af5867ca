"""Move of a service to a database of its own, while clients write."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.bootstrap.container import build
from app.bootstrap.http import create_app
from app.core.database_split import switch as switching
from app.core.database_split import take_over as taking_over
from app.core.database_split.checksums import checksum, compare
from app.core.database_split.errors import PauseTooLongError
from app.core.database_split.moved_services import KNOWN_AFTER
from tests.support.api import Person
from tests.support.ports import wait_for
from tests.support.postgres import Postgres, postgres
from tests.support.settings import make_settings
from tests.support.split import LOGICAL, Move, move_of

RATE = 20
"""Writes a second."""


@dataclass
class Writer:
    """A client of the former release that creates tasks and changes its account.

    Attributes:
        created: tasks that were acknowledged.
        refused: answers to writes that were refused, with the time.
    """

    person: Person
    created: list[UUID] = field(default_factory=list)
    refused: list[tuple[float, int, str | None]] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    running: bool = True

    def run(self) -> None:
        while self.running:
            began = time.monotonic()
            answer = self.person.call("POST", "/tasks", json={"title": f"Task {len(self.created)}"})
            if answer.status_code == 201:
                self.created.append(UUID(answer.get_json()["id"]))
            else:
                self.refused.append((time.monotonic(), answer.status_code, answer.headers.get("Retry-After")))
            if len(self.created) % 10 == 0:
                self.others.append(self.person.call("PATCH", "/users/me", json={"name": "Ada"}).status_code)
                self.reads.append(self.person.call("GET", "/tasks").status_code)
            time.sleep(max(0.0, 1 / RATE - (time.monotonic() - began)))

    def go_on(self) -> None:
        """Wait until more tasks are created."""
        until_now = len(self.created)
        wait_for(lambda: len(self.created) > until_now + RATE, "the client creates more tasks")


@contextmanager
def writing(move: Move) -> Iterator[Writer]:
    container = build(make_settings(move.former_url))
    person = Person(create_app(container).test_client()).register()
    writer = Writer(person)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        yield writer
    finally:
        writer.running = False
        thread.join()
        container.database.dispose()


@pytest.fixture(params=["one server", "two servers"])
def any_move(request: pytest.FixtureRequest, logical: Postgres) -> Iterator[Move]:
    if request.param == "one server":
        with move_of("tasks", logical) as move:
            yield move
    else:
        with postgres(**LOGICAL) as other, move_of("tasks", logical, other) as move:
            yield move


def assert_same(move: Move) -> None:
    """Check that each table of the service has the same rows on both sides."""
    source, target = move.engines()
    with source.connect() as former, target.connect() as own:
        for table in move.share.tables:
            if table.name in move.share.own:
                assert checksum(former, table) == checksum(own, table), table.name
    source.dispose()
    target.dispose()


def test_no_row_is_lost_or_doubled_while_clients_write(any_move: Move, address: str) -> None:
    move = any_move
    with writing(move) as writer:
        writer.go_on()
        move.succeed("prepare")
        writer.go_on()
        move.subscribe()
        move.succeed("wait")
        writer.go_on()
        assert writer.refused == []
        said = move.switch(address)
        wait_for(lambda: writer.person.call("GET", "/tasks").status_code == 200, "the address answers")
    assert "rows; writes were refused for" in said
    assert float(said.rsplit(" ", 2)[-2]) <= switching.PAUSE
    assert_same(move)
    kept = move.administer("SELECT array_agg(id::text) FROM tasks")
    assert sorted(kept) == sorted(map(str, writer.created))
    published = "SELECT count(*) FROM outbox WHERE name = 'task.created'"
    assert move.administer(published) == len(writer.created)
    assert move.ask(f"{published} AND carried_at IS NULL") == 0


def test_writes_are_refused_for_a_moment_and_reads_and_other_services_go_on(
    move: Move, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    move.ready()
    closed, opened = threading.Event(), threading.Event()

    def slow_compare(*_arguments: object) -> int:
        closed.set()
        opened.wait(2)
        raise PauseTooLongError("the pause would exceed 5 s: the writes go on in the former database")

    monkeypatch.setattr(switching, "compare", slow_compare)
    container = build(make_settings(move.former_url))
    person = Person(create_app(container).test_client()).register()
    task = person.create()
    step = threading.Thread(target=lambda: results.append(move.run("switch", address).status))
    results: list[int] = []
    step.start()
    assert closed.wait(30)
    refused = person.call("POST", "/tasks", json={"title": "In the pause"})
    read = person.call("GET", f"/tasks/{task['id']}")
    renamed = person.call("PATCH", "/users/me", json={"name": "Ada"})
    opened.set()
    step.join()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert "is moving to another database" in refused.get_json()["detail"]
    assert (read.status_code, renamed.status_code) == (200, 200)
    assert results == [1]
    assert person.call("POST", "/tasks", json={"title": "After it was given up"}).status_code == 201
    monkeypatch.setattr(switching, "compare", compare)
    move.switch(address)
    assert move.administer("SELECT count(*) FROM tasks") == 2
    container.database.dispose()


def test_a_pause_that_would_be_too_long_is_given_up(move: Move, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    move.ready()
    monkeypatch.setattr(switching, "PAUSE", KNOWN_AFTER + switching.RESERVE)
    said = move.run("switch", address)
    assert (said.status, said.error.count("\n")) == (1, 1)
    assert "the writes go on in the former database" in said.error
    assert move.ask("SELECT count(*) FROM moved_services") == 0
    assert move.administer("SELECT to_regclass('carried') IS NULL")


def test_a_table_that_differs_is_not_moved(move: Move, address: str) -> None:
    move.ready()
    move.administer("INSERT INTO attachment_usage VALUES (gen_random_uuid(), 1)")
    said = move.run("switch", address)
    assert said.error == ("error: attachment_usage differs: 0 rows in the former database, 1 in the new one\n")
    assert move.ask("SELECT count(*) FROM moved_services") == 0


def test_values_that_differ_are_found(move: Move, address: str) -> None:
    move.ask("INSERT INTO attachment_usage VALUES (gen_random_uuid(), 1)")
    move.ready()
    move.administer("UPDATE attachment_usage SET bytes = 2")
    assert move.run("switch", address).error == "error: attachment_usage differs: same rows, other values\n"


def test_sessions_that_have_ended_lately_are_refused_by_the_service(move: Move, address: str) -> None:
    lately, before = uuid4(), uuid4()
    for session, expiry in ((lately, "1 hour"), (before, "-1 hour")):
        move.ask(
            "INSERT INTO outbox (id, name, at, payload) SELECT gen_random_uuid(), 'session.ended', now(),"
            f" json_build_object('session_id', '{session}', 'tokens_expire_at', now() + interval '{expiry}')"
        )
    move.ready()
    move.switch(address)
    assert move.administer("SELECT array_agg(session_id::text) FROM ended_sessions") == [str(lately)]


def test_the_new_servers_begin_when_the_former_ones_know_of_the_move(
    move: Move, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []

    def timed(function: Callable[..., None], *arguments: Any) -> None:
        times.append(time.monotonic())
        function(*arguments)

    for module, name in ((switching, "_delete_work"), (taking_over, "mark_complete")):
        monkeypatch.setattr(module, name, partial(timed, getattr(module, name)))
    move.ready()
    move.switch(address)
    *_, committed, begun = times
    assert begun - committed >= KNOWN_AFTER
