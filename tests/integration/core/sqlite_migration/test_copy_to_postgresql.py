"""Copy of a SQLite database to PostgreSQL: complete, once, despite failures and crashes."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import Table, insert, text
from sqlalchemy.exc import DBAPIError

from app.auth.tables import AuditRow, SessionRow, UserRow
from app.bootstrap.schema import branches, tables
from app.core.database.engine import Database
from app.core.database.migrate import NotMigratedError, check_ready
from app.core.errors import MovedError
from app.core.sqlite_migration import copy_to_postgresql as copying
from app.core.sqlite_migration.change_capture import CHANGES, Source
from app.core.sqlite_migration.completion import is_complete
from app.core.sqlite_migration.copy_to_postgresql import CopyError, copy_database
from app.core.sqlite_migration.handover import HandoverLock
from app.tasks.tables import TaskRow, TaskTagRow
from tests.support.content import connected, content, fill, row
from tests.support.postgres import Postgres
from tests.support.rows import databases

TABLES = tables()
ADDRESS = "http://successor:8000"


@pytest.fixture
def file(migrated_sqlite: bytes, tmp_path: Path) -> Path:
    """A migrated, empty SQLite database."""
    made = tmp_path / "tasks.sqlite"
    made.write_bytes(migrated_sqlite)
    return made


@pytest.fixture
def source(file: Path) -> Iterator[Database]:
    with connected(f"sqlite:///{file}") as database:
        yield database


@pytest.fixture
def target(postgres_url: str) -> Iterator[Database]:
    with connected(postgres_url) as database:
        yield database


@given(rows=databases())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_any_rows_arrive_as_they_are(
    rows: dict[Table, list[dict[str, Any]]],
    postgres: Postgres,
    migrated_sqlite: bytes,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("carry") / "tasks.sqlite"
    file.write_bytes(migrated_sqlite)
    name = f"carry_{uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
    try:
        with connected(f"sqlite:///{file}") as source, connected(postgres.url(name)) as target:
            fill(source, rows)
            report = copy_database(file, target, ADDRESS, TABLES)
            assert report.rows == sum(map(len, rows.values()))
            assert content(target) == content(source)
    finally:
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Actions to run between the copy of the snapshot and the write lock."""
    todo: list[Any] = []
    lock = Source.lock

    def do_before(self: Source) -> None:
        for each in todo:
            each()
        lock(self)

    monkeypatch.setattr(Source, "lock", do_before)
    yield todo
    assert todo, "the test has named nothing"


def test_writes_during_the_copy_are_copied_too(
    file: Path, source: Database, target: Database, meanwhile: list[Any]
) -> None:
    stays, goes, parent = uuid4(), uuid4(), uuid4()
    ada, bob = uuid4(), uuid4()
    for each in (
        row(UserRow, id=ada, email="ada@example.org"),
        row(SessionRow, id=uuid4(), user_id=ada),
        row(UserRow, id=bob, email="bob@example.org"),
        row(SessionRow, id=uuid4(), user_id=bob),
        row(TaskRow, id=stays),
        row(TaskRow, id=goes),
        row(TaskTagRow, task_id=goes, tag="old"),
        row(AuditRow),
    ):
        fill(source, each)

    def change() -> None:
        with source.writer.begin() as connection:
            connection.execute(text("UPDATE tasks SET title = 'New' WHERE id = :id"), {"id": stays.hex})
            connection.execute(text("UPDATE users SET name = 'Ada L.' WHERE id = :id"), {"id": ada.hex})
            connection.execute(text("DELETE FROM tasks WHERE id = :id"), {"id": goes.hex})
            connection.execute(text("DELETE FROM users WHERE id = :id"), {"id": bob.hex})
        for each in (
            row(TaskRow, id=parent),
            row(TaskTagRow, task_id=parent, tag='it\'s "new" \\ {}'),
            row(UserRow, email="bob@example.org"),
            row(AuditRow),
        ):
            fill(source, each)
        with source.writer.begin() as connection:  # inserted and deleted
            connection.execute(insert(TaskRow.__table__), row(TaskRow, id=(passing := uuid4()))[TaskRow.__table__])  # type: ignore[index,arg-type]
            connection.execute(text("DELETE FROM tasks WHERE id = :id"), {"id": passing.hex})

    meanwhile.append(change)
    copy_database(file, target, ADDRESS, TABLES)
    after = content(target)
    assert after == content(source)
    assert len(after["sessions"]) == 1
    assert len(after["audit_log"]) == 2


def test_writes_are_rejected_after_the_handover_and_reads_go_on(file: Path, source: Database, target: Database) -> None:
    fill(source, row(TaskRow))
    copy_database(file, target, ADDRESS, TABLES)
    assert HandoverLock(file).address() == ADDRESS
    with pytest.raises(MovedError):
        fill(source, row(TaskRow))
    assert len(content(source)["tasks"]) == 1


def test_a_server_without_the_handover_lock_can_not_write_either(
    file: Path, source: Database, target: Database
) -> None:
    fill(source, row(TaskRow))
    copy_database(file, target, ADDRESS, TABLES)
    HandoverLock(file).release()
    for statement in ("DELETE FROM tasks", "UPDATE tasks SET title = ''"):
        with pytest.raises(DBAPIError, match="has moved"), source.writer.begin() as connection:
            connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="has moved"):
        fill(source, row(TaskRow))


def test_a_second_run_does_nothing(file: Path, source: Database, target: Database) -> None:
    fill(source, row(TaskRow))
    assert copy_database(file, target, ADDRESS, TABLES).rows == 1
    fill(target, row(TaskRow))
    before = content(target)
    assert copy_database(file, target, ADDRESS, TABLES).rows is None
    assert content(target) == before


def test_a_target_with_data_of_its_own_is_rejected(file: Path, source: Database, target: Database) -> None:
    fill(source, row(TaskRow))
    fill(target, row(UserRow))
    with pytest.raises(CopyError, match="data of its own, in users"):
        copy_database(file, target, ADDRESS, TABLES)
    fill(source, row(TaskRow))  # as before


def test_readiness_requires_the_completion_marker(file: Path, postgres_url: str) -> None:
    with connected(postgres_url, database_inherits=True) as heir:
        with pytest.raises(NotMigratedError, match="waits for the data"):
            check_ready(heir, branches())
        copy_database(file, heir, ADDRESS, TABLES)
        check_ready(heir, branches())


def test_a_failed_copy_changes_nothing(
    file: Path, source: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(source, row(TaskRow))
    with monkeypatch.context() as patched:
        patched.setattr(Source, "count", lambda *_: 7)
        with pytest.raises(CopyError, match="0 rows have arrived and 7 are there"):
            copy_database(file, target, ADDRESS, TABLES)
    assert HandoverLock(file).address() is None
    assert not content(target)["tasks"]
    fill(source, row(TaskRow))
    assert copy_database(file, target, ADDRESS, TABLES).rows == 2


def test_a_failed_commit_releases_the_handover_lock(file: Path, source: Database, target: Database) -> None:
    fill(source, row(TaskRow))
    with target.writer.begin() as connection:  # a deferred constraint trigger fails at COMMIT
        connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON tasks DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    with pytest.raises(DBAPIError, match="no"):
        copy_database(file, target, ADDRESS, TABLES)
    assert HandoverLock(file).address() is None
    fill(source, row(TaskRow))


def test_the_outcome_of_an_unknown_commit_is_looked_up(file: Path, source: Database, target: Database) -> None:
    fill(source, row(TaskRow))
    seal = HandoverLock(file)
    copy_database(file, target, ADDRESS, TABLES)
    copying._verify_commit(target, seal, DBAPIError("COMMIT", None, Exception("lost")))
    assert seal.address() == ADDRESS


WAIT_FOR_EVER = """
import sys, threading
from pathlib import Path
from app.bootstrap.schema import tables
from app.core.sqlite_migration import copy_to_postgresql as copying
from app.core.database.engine import connect
from app.core.sqlite_migration.handover import HandoverLock
from tests.support.settings import make_settings

file, url, place = sys.argv[1:]

def stand(*_):
    print("here", flush=True)
    threading.Event().wait()

if place == "copying":
    copying._apply_changes = stand
elif place == "locked":
    acquire = HandoverLock.acquire
    HandoverLock.acquire = lambda self, address: (acquire(self, address), stand())
copying.copy_database(Path(file), connect(make_settings(url)), "http://target:8000", tables())
"""


@pytest.mark.parametrize("place", ["copying", "locked"])
def test_a_killed_copy_changes_nothing_and_the_next_one_succeeds(
    file: Path, source: Database, target: Database, postgres_url: str, place: str
) -> None:
    fill(source, row(TaskRow))
    command = [sys.executable, "-c", WAIT_FOR_EVER, str(file), postgres_url, place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.kill()
    with target.reader.begin() as connection:
        assert not is_complete(connection)
    if place == "copying":
        fill(source, row(TaskRow))
    assert copy_database(file, target, ADDRESS, TABLES).rows == len(content(source)["tasks"])
    assert content(target) == content(source)
    with closing(sqlite3.connect(file)) as connection:
        left = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE ?", (f"{CHANGES}%",)).fetchall()
    assert left == []


def test_concurrent_copies_run_one_after_the_other(file: Path, source: Database, target: Database) -> None:
    fill(source, row(TaskRow))
    reports: list[int | None] = []
    threads = [
        threading.Thread(target=lambda: reports.append(copy_database(file, target, ADDRESS, TABLES).rows))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(reports, key=repr) == [1, None]
