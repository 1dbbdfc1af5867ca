"""Faults of a real PostgreSQL during a transaction: no write is lost, done twice or hidden."""

import io
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import event, text

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.schema import migrate
from app.core.clock import new_id, utc_now
from app.core.database import engine
from app.core.database.engine import UNLIMITED
from app.core.database.retries import retried
from app.core.errors import CommitUnknownError, TransientError, UnavailableError
from app.tasks.model import TaskCreate
from tests.support import postgres as servers
from tests.support.address import Address
from tests.support.api import Person, assert_problem
from tests.support.commits import unacknowledged_commit
from tests.support.ports import wait_for
from tests.support.postgres import Postgres, replica_of
from tests.support.settings import make_settings
from tests.support.storage import SystemStorage, storage_of


@pytest.fixture
def start(postgres_url: str) -> Iterator[Callable[..., Container]]:
    """Build the container of one more process."""
    with ExitStack() as ends:

        def begin(**settings: Any) -> Container:
            parts = build(make_settings(postgres_url, **settings))
            ends.callback(parts.database.dispose)
            return parts

        yield begin


def somebody(parts: Container) -> Person:
    return Person(create_app(parts).test_client()).register()


def cut(server: Postgres, connection: Any) -> None:
    """End the server's side of a connection."""
    backend = connection.connection.dbapi_connection.info.backend_pid
    server.execute(f"SELECT pg_terminate_backend({backend}, 5000)")


def titles(person: Person) -> list[str]:
    return [item["title"] for item in person.walk()]


@pytest.mark.parametrize("before", ["INSERT INTO tasks", "INSERT INTO user_versions"])
def test_a_write_whose_connection_is_cut_before_its_commit_happens_once(
    start: Callable[..., Container], postgres: Postgres, before: str
) -> None:
    parts = start()
    person = somebody(parts)
    cuts: list[str] = []

    @event.listens_for(parts.database.writer, "before_cursor_execute")
    def cut_once(connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not cuts and statement.startswith(before):
            cuts.append(statement)
            cut(postgres, connection)

    person.create(title="Once")
    assert len(cuts) == 1
    assert titles(person) == ["Once"]


def test_a_write_whose_commit_gets_no_answer_is_not_retried(
    start: Callable[..., Container], postgres: Postgres
) -> None:
    parts = start()
    person = somebody(parts)
    with unacknowledged_commit(parts, postgres, "INSERT INTO tasks"):
        answer = person.call("POST", "/tasks", json={"title": "Once"})
    assert_problem(answer, 503)
    assert "Retry-After" in answer.headers
    assert titles(person) == ["Once"]
    with (
        unacknowledged_commit(parts, postgres, "UPDATE password_resets"),
        pytest.raises(CommitUnknownError),
        storage_of(parts).write() as work,
    ):
        work.resets.void(new_id(), utc_now())


def test_a_file_whose_commit_gets_no_answer_keeps_its_bytes(
    start: Callable[..., Container], postgres: Postgres
) -> None:
    parts = start()
    person = somebody(parts)
    path = f"/tasks/{person.create()['id']}/attachments"
    with unacknowledged_commit(parts, postgres, "INSERT INTO attachments"):
        assert_problem(person.call("POST", path, data={"file": (io.BytesIO(b"text"), "notes.txt")}), 503)
    (attachment,) = person.call("GET", path).get_json()["items"]
    assert person.client.get(attachment["url"]).data == b"text"


def test_a_picture_whose_commit_gets_no_answer_keeps_its_bytes(
    start: Callable[..., Container], postgres: Postgres
) -> None:
    parts = start()
    person = somebody(parts)
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    picture.seek(0)
    with unacknowledged_commit(parts, postgres, "UPDATE users"):
        assert_problem(person.call("PUT", "/users/me/avatar", data={"file": (picture, "me.png")}), 503)
    url = person.call("GET", "/users/me").get_json()["avatar_url"]
    assert person.client.get(url).status_code == 200


def test_an_import_whose_commit_gets_no_answer_keeps_its_file(
    start: Callable[..., Container], postgres: Postgres
) -> None:
    parts = start()
    person = somebody(parts)
    with unacknowledged_commit(parts, postgres, "INSERT INTO jobs"):
        file = (io.BytesIO(b"title\r\nMilk\r\n"), "tasks.csv")
        assert_problem(person.call("POST", "/tasks/imports", data={"file": file}), 503)
    while parts.inline.run_once():
        pass
    assert titles(person) == ["Milk"]


def test_both_writes_of_a_deadlock_succeed(start: Callable[..., Container]) -> None:
    """The database rolls one back, which is retried."""
    parts = start()
    person = somebody(parts)
    user_id = parts.platform.tokens.verify(person.access_token).user_id
    tasks = [parts.tasks.service.create(user_id, TaskCreate(f"Task {number}")).id for number in range(2)]
    both = threading.Barrier(2)
    undone: list[int] = []

    def write(order: list[Any]) -> None:
        first = iter([True])

        @retried
        def change() -> None:
            try:
                with storage_of(parts).write() as work:
                    work.tasks.get(user_id, order[0], for_update=True)
                    if next(first, False):
                        both.wait(30)
                    work.tasks.get(user_id, order[1], for_update=True)
            except TransientError:
                undone.append(1)
                raise

        change()

    with ThreadPoolExecutor(2) as pair:
        for result in [pair.submit(write, tasks), pair.submit(write, tasks[::-1])]:
            result.result(60)
    assert undone == [1]


def test_a_statement_that_times_out_is_not_retried(start: Callable[..., Container]) -> None:
    storage = SystemStorage(start(statement_timeout=0.05).database)
    with pytest.raises(UnavailableError) as caught, storage.read() as work:
        work.session.execute(text("SELECT pg_sleep(30)"))
    assert not isinstance(caught.value, TransientError)


def test_a_migration_may_take_longer_than_a_request(
    start: Callable[..., Container], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "GRACE", 0.05)
    writer = start(statement_timeout=0.05).database.writer.execution_options(**{UNLIMITED: True})
    with writer.begin() as connection:
        connection.execute(text("SELECT pg_sleep(0.5)"))


def test_a_dead_network_path_is_detected_within_a_minute(start: Callable[..., Container]) -> None:
    with start().database.reader.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        with socket.socket(fileno=os.dup(driver.fileno())) as ours:
            idle, interval, count, unacknowledged = (
                ours.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            )
    assert idle + interval * count <= 60
    assert 0 < unacknowledged <= 60_000


def test_a_failover_loses_no_acknowledged_write_and_writes_go_on() -> None:
    """Afterwards the address of the primary leads to another server, as that of a service does."""
    with (
        servers.postgres() as primary,
        replica_of(primary) as replica,
        Address(primary.port) as address,
        migrated(address.url) as parts,
    ):
        primary.confirm_with_replica()
        parts.database.dispose()
        person = somebody(parts)
        acknowledged = [person.create(title=f"Before {number}")["title"] for number in range(20)]
        primary.stop()
        assert_problem(person.call("POST", "/tasks", json={"title": "While nobody is there"}), 503)
        replica.execute("SELECT pg_promote()")
        address.lead_to(replica.port)

        def written() -> bool:
            answer = person.call("POST", "/tasks", json={"title": "After"})
            assert answer.status_code in {201, 503}
            return answer.status_code == 201

        wait_for(written, "a write is acknowledged again")
        assert sorted(titles(person)) == sorted([*acknowledged, "After"])


def test_connections_to_a_demoted_primary_are_dropped_at_once() -> None:
    """Its connections stay alive: only a rejected write shows that it is read-only."""
    with (
        servers.postgres() as primary,
        replica_of(primary) as replica,
        Address(primary.port) as address,
        migrated(address.url) as parts,
    ):
        person = somebody(parts)
        replica.catch_up(primary)
        address.lead_to(replica.port)
        parts.database.dispose()
        assert person.call("GET", "/users/me").status_code == 200
        address.lead_to(primary.port)
        assert person.call("POST", "/tasks", json={"title": "Once"}).status_code == 201
        assert titles(person) == ["Once"]


@contextmanager
def migrated(url: str) -> Iterator[Container]:
    """The container of a process, on a database without a schema, which is migrated."""
    parts = build(make_settings(url))
    migrate(parts.database)
    yield parts
    parts.database.dispose()
