"""Migrations: upgrade, downgrade, no drift, one at a time; and readiness."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from app.auth.tables import AuditRow, UserRow
from app.bootstrap.schema import branches, migrate, tables
from app.bootstrap.services import SERVICES
from app.core.database.engine import Database, connect
from app.core.database.migrate import (
    FORMER_HEAD,
    FORMER_VERSIONS,
    LOCK,
    VERSIONS,
    NotMigratedError,
    check_ready,
    configuration,
)
from app.core.jobs.tables import JobRow
from app.notifications.tables import RecipientRow
from app.tasks.tables import TaskRow
from tests.support.ports import wait_for
from tests.support.server import ROOT, environment
from tests.support.settings import make_settings

SPECIFIED = {"idx_tasks_user_id", "idx_tasks_status", "idx_tasks_created_at", "idx_tasks_user_status"}


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    connected = connect(make_settings(empty_url))
    yield connected
    connected.dispose()


def single_history(database: Database, revision: str = FORMER_HEAD) -> None:
    """Upgrade a database to a revision of the single history, as releases before the branches did."""
    with database.writer.begin() as connection:
        command.upgrade(configuration(connection), revision)


def test_migrations_go_up_and_down_and_up_again(empty: Database) -> None:
    migrate(empty)
    there = set(inspect(empty.reader).get_table_names())
    assert {*(table.name for table in tables()), VERSIONS} == there
    with empty.writer.begin() as connection:
        for branch in reversed(branches()):
            command.downgrade(configuration(connection, branches()), f"{branch.name}@base")
    assert set(inspect(empty.reader).get_table_names()) == {VERSIONS}
    migrate(empty)
    migrate(empty)
    assert set(inspect(empty.reader).get_table_names()) == there


def test_the_single_history_goes_up_and_down(empty: Database) -> None:
    single_history(empty)
    with empty.writer.begin() as connection:
        command.downgrade(configuration(connection), "base")
    assert set(inspect(empty.reader).get_table_names()) == {FORMER_VERSIONS}


@pytest.mark.parametrize("former", [False, True], ids=["new", "of-the-single-history"])
def test_models_and_migrations_agree(empty: Database, former: bool) -> None:
    if former:
        single_history(empty)
    migrate(empty)
    with empty.writer.begin() as connection:
        command.check(configuration(connection, branches()))


@pytest.mark.parametrize("service", SERVICES)
def test_a_branch_has_the_tables_of_its_service_and_of_the_core_alone(empty: Database, service: str) -> None:
    migrate(empty, [service])
    expected = {table.name for branch in branches([service]) for table in branch.metadata.tables.values()}
    assert set(inspect(empty.reader).get_table_names()) == expected | {VERSIONS}
    check_ready(empty, branches([service]))
    with pytest.raises(NotMigratedError, match="this code needs"):
        check_ready(empty, branches())


def test_the_indexes_of_the_specification_are_there(empty: Database) -> None:
    migrate(empty)
    inspector = inspect(empty.reader)
    assert {index["name"] for index in inspector.get_indexes("tasks")} >= SPECIFIED
    [email] = inspector.get_indexes("users")
    assert (email["name"], bool(email["unique"])) == ("idx_users_email", True)


def test_concurrent_migrations_run_one_after_the_other(empty_url: str, tmp_path: Path) -> None:
    variables = environment(tmp_path, empty_url, port=1)
    command_line = [sys.executable, "-m", "app", "migrate"]
    processes = [subprocess.Popen(command_line, cwd=ROOT, env=variables, stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    database = connect(make_settings(empty_url))
    check_ready(database, branches())
    database.dispose()


def test_a_migration_waits_for_one_that_runs_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    database = connect(make_settings(postgres_url))
    with database.writer.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "migrate"], cwd=ROOT, env=environment(tmp_path, postgres_url, port=1)
        )
        try:
            wait_for(lambda: other.scalar(waiting) == 1, "the second migration waits")
        except TimeoutError:
            process.kill()
            raise
        assert process.poll() is None
    assert process.wait(60) == 0
    database.dispose()


def test_readiness_requires_the_schema_and_accepts_a_newer_one(empty: Database) -> None:
    with pytest.raises(NotMigratedError):
        check_ready(empty, branches())
    migrate(empty)
    check_ready(empty, branches())
    for branch in branches():
        for revision, ready in ((f"{branch.name}_0000", False), (f"{branch.name}_9999", True), (branch.head, True)):
            with empty.writer.begin() as connection:
                of_branch = text(f"UPDATE {VERSIONS} SET version_num = :revision WHERE version_num LIKE :branch")  # noqa: S608 of ours
                connection.execute(of_branch, {"revision": revision, "branch": f"{branch.name}_%"})
            if ready:
                check_ready(empty, branches())
            else:
                with pytest.raises(NotMigratedError, match=f"this code needs {branch.head}"):
                    check_ready(empty, branches())


def test_a_database_of_a_later_release_is_left_as_it_is(empty: Database) -> None:
    migrate(empty)
    later = {f"{branch.name}_9999" for branch in branches()}
    with empty.writer.begin() as connection:
        connection.execute(text(f"DELETE FROM {VERSIONS}"))  # noqa: S608 of ours
        for revision in later:
            connection.execute(text(f"INSERT INTO {VERSIONS} VALUES (:revision)"), {"revision": revision})  # noqa: S608
    migrate(empty)
    check_ready(empty, branches())
    with empty.reader.begin() as connection:
        assert set(connection.scalars(text(f"SELECT version_num FROM {VERSIONS}"))) == later  # noqa: S608


def test_each_branch_requires_its_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(configuration(branches=branches()))
    assert set(scripts.get_heads()) == {branch.head for branch in branches()}
    for branch in branches():
        revisions = [script.revision for script in scripts.walk_revisions("base", f"{branch.name}@head")]
        assert revisions == sorted(revisions, reverse=True), "readiness compares revisions as text"
        assert all(revision.startswith(f"{branch.name}_") for revision in revisions)


def test_the_audit_log_rejects_updates_and_deletes(empty: Database) -> None:
    """V16.4.2: logs are protected from modification."""
    migrate(empty)
    with empty.writer.begin() as connection:
        connection.execute(
            insert(AuditRow).values(id=uuid4(), at=datetime.now(UTC), action="user.role", remote="", details={})
        )
    statements = ["UPDATE audit_log SET action = 'nothing'", "DELETE FROM audit_log"]
    if empty.dialect == "sqlite":
        statements.append("INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log")
    for statement in statements:
        with pytest.raises(DBAPIError, match="only grows"), empty.writer.begin() as connection:
            connection.execute(text(statement))
    with empty.reader.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit_log")) == 1


def before(name: str) -> str:
    """Return the revision before a migration."""
    scripts = ScriptDirectory.from_config(configuration())
    [revision] = [script.down_revision for script in scripts.walk_revisions() if name in script.path]
    return str(revision)


def test_accounts_older_than_the_notifications_receive_mails(empty: Database) -> None:
    single_history(empty, before("_notifications"))
    old = {
        "id": uuid4(),
        "email": "ada@example.org",
        "name": "Ada",
        "password_hash": "",
        "created_at": datetime.now(UTC),
    }
    with empty.writer.begin() as connection:
        connection.execute(insert(UserRow).values(**old, role="user"))
    migrate(empty)
    with empty.reader.begin() as connection:
        assert connection.execute(select(RecipientRow.user_id, RecipientRow.email, RecipientRow.name)).all() == [
            (old["id"], "ada@example.org", "Ada")
        ]


def test_an_account_whose_password_was_reset_by_mail_is_verified_and_others_are_not(empty: Database) -> None:
    single_history(empty, before("_verified_addresses"))
    now = datetime.now(UTC)
    reset, other = uuid4(), uuid4()
    with empty.writer.begin() as connection:
        for each in (reset, other):
            known = {"email": f"{each}@example.org", "name": "Ada"}
            row = {"id": each, "password_hash": "", "created_at": now, "role": "user", **known}
            connection.execute(insert(UserRow).values(**row))
            connection.execute(insert(RecipientRow).values(user_id=each, at=now, **known))
        for action, subject in (("password.reset", reset), ("password.reset", reset), ("user.role", other)):
            entry = {"id": uuid4(), "at": now, "action": action, "subject_id": subject, "remote": "", "details": {}}
            connection.execute(insert(AuditRow).values(**entry))
    migrate(empty)
    with empty.reader.begin() as connection:
        verified_at = dict(connection.execute(select(UserRow.id, UserRow.verified_at)).all())
        recipients = dict(connection.execute(select(RecipientRow.user_id, RecipientRow.verified)).all())
    assert verified_at == {reset: now, other: None}
    assert recipients == {reset: True, other: False}


@pytest.mark.parametrize("tasks", [0, 2])
@pytest.mark.parametrize(("migration", "kind"), [("_analytics", "snapshot"), ("_normal_texts", "normalise")])
def test_a_job_for_existing_tasks_is_queued_for_after_the_rollout(
    empty: Database, migration: str, kind: str, tasks: int
) -> None:
    single_history(empty, before(migration))
    now = datetime.now(UTC)
    row = {"user_id": uuid4(), "title": "", "description": "", "status": "done", "created_at": now, "updated_at": now}
    with empty.writer.begin() as connection:
        for _ in range(tasks):
            derived = {"version": 1, "title_key": "", "search_text": ""}
            connection.execute(insert(TaskRow).values(id=uuid4(), **row, **derived))
    migrate(empty)
    with empty.reader.begin() as connection:
        of_kind = select(JobRow.state, JobRow.user_id, JobRow.due_at).where(JobRow.kind == kind)
        jobs = connection.execute(of_kind).all()
    assert [(job.state, job.user_id) for job in jobs] == [("queued", None)] * bool(tasks)
    assert all(job.due_at > now + timedelta(minutes=10) for job in jobs)
