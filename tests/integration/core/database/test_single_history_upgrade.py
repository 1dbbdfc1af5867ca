"""Upgrade in place of databases of the release before the branches, while that release uses them."""

import re
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import MetaData, Table, func, inspect, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.schema import branches, migrate
from app.core.clock import utc_now
from app.core.database.engine import Database, connect
from app.core.database.migrate import FORMER_HEAD, FORMER_VERSIONS, NotMigratedError, check_ready
from app.core.jobs.tables import JobRow
from tests.support.api import Person
from tests.support.background import dispatch_events, do_jobs
from tests.support.postgres import Postgres, binary
from tests.support.settings import make_settings
from tests.support.storage import storage_of

DUMPS = Path(__file__).parents[3] / "data/single_history"
"""Dump of a database of that release: three users, of whom one is deleted but not yet erased, and an unpublished
event."""

DUMPED_AT = datetime.fromisoformat("2026-11-30T06:08:20+00:00")
TIMESTAMP = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?")

NEW_JOBS = {"preferences-snapshot"}
"""Kinds of jobs that the upgrade queues."""


def dump_of(dialect: str) -> str:
    """Return the dump with all its timestamps moved as if it had been taken now, before anything of it expires."""
    age = utc_now() - DUMPED_AT

    def moved(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(found[0]) + age
        return at.isoformat(sep=found[0][10], timespec="microseconds")

    return TIMESTAMP.sub(moved, (DUMPS / f"{dialect}.sql").read_text())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database as that release had it."""
    dump = dump_of(request.param)
    if request.param == "sqlite":
        file = tmp_path / "former.sqlite"
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(dump)
        yield f"sqlite:///{file}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = f"former_{uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name}")
    address = f"postgresql://postgres@127.0.0.1:{postgres.port}/{name}"
    command = [binary("psql"), "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", address]
    subprocess.run(command, check=True, capture_output=True, input=dump, text=True)
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def former(url: str) -> Iterator[Database]:
    database = connect(make_settings(url))
    yield database
    database.dispose()


def former_tables(database: Database) -> MetaData:
    """Return the reflected tables of the database."""
    found = MetaData()
    found.reflect(database.reader)
    return found


def rows(database: Database, tables: MetaData) -> dict[str, list[Any]]:
    """Return all rows of the tables except the jobs that the upgrade queues."""

    def of(table: Table) -> list[Any]:
        statement = select(table)
        if table.name == "jobs":
            statement = statement.where(table.c.kind.not_in(NEW_JOBS))
        return sorted(map(tuple, connection.execute(statement)), key=repr)

    with database.reader.begin() as connection:
        return {table.name: of(table) for table in tables.sorted_tables}


def described(tables: MetaData) -> dict[str, Any]:
    return {
        table.name: (
            [(column.name, str(column.type), column.nullable) for column in table.columns],
            sorted(str(index.name) for index in table.indexes),
        )
        for table in tables.sorted_tables
    }


def test_every_row_and_every_table_of_the_former_release_stays(former: Database) -> None:
    tables = former_tables(former)
    before = rows(former, tables)
    with pytest.raises(NotMigratedError):
        check_ready(former, branches())
    migrate(former)
    migrate(former)
    check_ready(former, branches())
    assert rows(former, tables) == before
    upgraded_tables = former_tables(former)
    after = described(upgraded_tables)
    for name, (columns, indexes) in described(tables).items():
        assert [column for column in after[name][0] if column in columns] == columns
        assert set(indexes) <= set(after[name][1])
        added = [column for column in upgraded_tables.tables[name].columns if column.name not in tables.tables[name].c]
        # The former release inserts rows without them.
        assert all(column.nullable or column.server_default is not None for column in added)
    with former.reader.begin() as connection:
        # The former release's readiness check: its pods stay ready, and a rollback is possible.
        assert connection.scalar(text(f"SELECT version_num FROM {FORMER_VERSIONS}")) == FORMER_HEAD  # noqa: S608


@pytest.fixture
def upgraded(former: Database, url: str) -> Iterator[Container]:
    migrate(former)
    parts = build(make_settings(url))
    yield parts
    parts.database.dispose()


def test_users_keep_their_data(upgraded: Container) -> None:
    client = create_app(upgraded).test_client()
    ada = Person(client, email="ada@example.org").login()
    me = ada.call("GET", "/users/me").get_json()
    assert client.get(me["avatar_url"]).status_code == 200
    assert {task["title"] for task in ada.walk()} == {"Task 0", "Task 1", "Task 2", "Remind me", "Once"}
    [notification] = ada.call("GET", "/notifications").get_json()["items"]
    assert notification["title"] == "Remind me"
    again = ada.call("POST", "/tasks", json={"title": "Once"}, headers={"Idempotency-Key": "key-1"})
    assert again.status_code == 201
    assert len(ada.walk()) == 5, "the key of the former release still holds"


def test_work_in_progress_is_completed(upgraded: Container) -> None:
    with storage_of(upgraded).read() as work:
        [event] = work.outbox.waiting(10)
        erasures = work.session.scalars(select(JobRow).where(JobRow.kind == "erasure")).all()
    assert len(erasures) == 4
    dispatch_events(upgraded)
    do_jobs(upgraded)
    deleted = erasures[0].parameters["user"]
    with storage_of(upgraded).read() as work:
        assert event.user_id is not None
        assert work.session.scalar(
            select(func.count()).select_from(text("task_facts")).where(text("title = 'Not yet relayed'"))
        )
        states = set(work.session.scalars(select(JobRow.state).where(JobRow.kind.like("erasure%"))))
        kinds = set(work.session.scalars(select(JobRow.kind).where(JobRow.kind.like("erasure%"))))
        recipients = work.session.scalars(text("SELECT user_id FROM recipients")).all()
    assert states == {"succeeded"}
    assert kinds == {"erasure", "erasure.tasks", "erasure.notifications", "erasure.analytics", "erasure.jobs"}
    assert str(deleted).replace("-", "") not in {str(user).replace("-", "") for user in recipients}


def test_report_subscribers_still_get_reports(upgraded: Container) -> None:
    client = create_app(upgraded).test_client()
    ada, bob = (
        upgraded.platform.tokens.verify(Person(client, email=f"{name}@example.org").login().access_token).user_id
        for name in ("ada", "bob")
    )
    with storage_of(upgraded).read() as work:
        assert work.subscriptions.among([ada, bob]) == [ada]


def test_preferences_changed_by_the_former_release_are_published_by_a_job(upgraded: Container) -> None:
    bob = Person(create_app(upgraded).test_client(), email="bob@example.org").login()
    user_id = upgraded.platform.tokens.verify(bob.access_token).user_id
    with storage_of(upgraded).write() as work:
        work.preferences.change(user_id, {"weekly_report": True})  # without an event, as that release did
        snapshot = work.session.scalars(select(JobRow).where(JobRow.kind == "preferences-snapshot")).one()
        assert snapshot.due_at > utc_now(), "it waits for the rollout's end"
        snapshot.due_at = utc_now()
    do_jobs(upgraded)
    dispatch_events(upgraded)
    with storage_of(upgraded).read() as work:
        assert user_id in work.subscriptions.among([user_id])


def test_the_former_release_can_write_during_the_upgrade(former: Database, url: str) -> None:
    """Its statements: on the same tables and columns, in transactions of their own."""
    insert = text(
        "INSERT INTO tasks (id, user_id, title, description, status, created_at, updated_at, version, title_key,"
        " search_text) VALUES (:id, :id, 'Meanwhile', '', 'todo', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 1, '', '')"
    )
    other = connect(make_settings(url))
    written, errors, over = 0, list[Exception](), threading.Event()

    def write() -> None:
        nonlocal written
        while not over.is_set():
            try:
                with other.writer.begin() as connection:
                    connection.execute(insert, {"id": uuid4().hex})
                written += 1
            except OperationalError as error:
                errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        migrate(former)
    finally:
        over.set()
        writer.join()
        other.dispose()
    assert not errors
    with former.reader.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM tasks WHERE title = 'Meanwhile'")) == written > 0


def test_a_failed_upgrade_changes_nothing(former: Database) -> None:
    with former.writer.begin() as connection:
        connection.execute(text("CREATE TABLE report_subscriptions (x INTEGER)"))
    tables = former_tables(former)
    before = rows(former, tables)
    with pytest.raises((OperationalError, ProgrammingError)):
        migrate(former)
    assert set(inspect(former.reader).get_table_names()) == set(tables.tables)
    assert rows(former, tables) == before
    with former.writer.begin() as connection:
        connection.execute(text("DROP TABLE report_subscriptions"))
    migrate(former)
    check_ready(former, branches())
