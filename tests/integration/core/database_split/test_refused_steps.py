"""Steps that refuse, in one line, and the way back."""

import os
from pathlib import Path
from unittest.mock import patch

import pytest

from app.__main__ import main
from tests.integration.core.database_split.test_killed_steps import assert_moved, assert_removed, fill
from tests.support.postgres import Postgres
from tests.support.server import environment
from tests.support.split import Move, Said, move_of


def assert_refused(said: Said, reason: str) -> None:
    assert (said.status, said.out, said.error) == (1, "", f"error: {reason}\n")


def test_the_way_back_is_open_until_the_switch(move: Move, address: str) -> None:
    fill(move)
    move.ready()
    assert_refused(move.run("revert"), "the subscription split_tasks is still there: delete it first")
    move.unsubscribe()
    move.succeed("revert")
    move.succeed("revert")
    assert move.ask("SELECT count(*) FROM pg_publication") == 0
    assert move.ask("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'moves%'") == 0
    assert move.ask("SELECT count(*) FROM pg_class WHERE relreplident = 'f'") == 0
    assert move.ask("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'split_tasks'") == 0
    assert move.ask("SELECT to_regclass('moved_services') IS NULL")
    assert move.administer("SELECT count(*) FROM attachment_usage") == 0
    move.ready()
    move.switch(address)
    assert_moved(move)
    assert_refused(move.run("revert"), "tasks has moved: there is no way back")


def test_the_former_tables_are_removed_after_the_switch_only(move: Move, address: str) -> None:
    fill(move)
    move.ready()
    assert_refused(move.run("remove"), "tasks has not moved: nothing was removed")
    move.switch(address)
    move.unsubscribe()
    assert move.ask("SELECT count(*) FROM attachment_usage") == 100
    move.succeed("remove")
    assert_removed(move)
    move.succeed("remove")


def test_a_database_with_rows_of_its_own_is_not_prepared(move: Move) -> None:
    move.administer("INSERT INTO attachment_usage VALUES (gen_random_uuid(), 1)")
    reason = "the database of tasks has rows of its own, in attachment_usage: nothing was prepared"
    assert_refused(move.run("prepare"), reason)
    assert move.ask("SELECT count(*) FROM pg_publication") == 0


def test_jobs_that_belong_to_no_service_are_waited_for(move: Move) -> None:
    fill(move)
    move.ask("UPDATE jobs SET kind = 'erasure' WHERE kind = 'report'")
    reason = "jobs of kind erasure are under way, which belongs to no service: try again when they are done"
    assert_refused(move.run("prepare"), reason)


def test_a_role_that_may_not_replicate_is_refused(move: Move) -> None:
    assert_refused(
        move.run_as("tasks", "prepare"), "the role tasks of the former database may not replicate: it needs REPLICATION"
    )


def test_a_server_without_logical_replication_is_refused(logical: Postgres, postgres: Postgres) -> None:
    with move_of("tasks", logical) as move:
        said = Move("tasks", postgres, logical, "migrated", move.own).run_as("postgres", "prepare")
    assert_refused(said, "the former database has wal_level replica: it must be logical")


def test_without_a_subscription_the_wait_says_so(move: Move) -> None:
    move.succeed("prepare")
    reason = "the copy is not complete after 0 s: there is no subscription split_tasks"
    assert_refused(move.run("wait", patience=0), reason)


def test_without_a_preparation_the_wait_says_so(move: Move) -> None:
    reason = (
        "the copy is not complete after 0 s: there is no replication slot split_tasks (the step `prepare` makes it)"
    )
    assert_refused(move.run("wait", patience=0), reason)


def test_nothing_moves_to_servers_that_are_not_there(move: Move) -> None:
    reason = "nobody waits for the data at http://127.0.0.1:9: nothing was moved"
    assert_refused(move.run("switch", "http://127.0.0.1:9", patience=0), reason)


def test_a_switch_before_the_copy_is_complete_is_refused(move: Move, address: str) -> None:
    fill(move)
    move.succeed("prepare")
    said = move.run("switch", address, patience=0)
    assert_refused(said, "the copy is not complete after 0 s: there is no subscription split_tasks")


def test_the_service_with_the_sessions_moves_last(logical: Postgres, address: str) -> None:
    with move_of("auth", logical) as move:
        move.ready()
        reason = "auth moves last: tasks, notifications, analytics would no longer know who is logged in"
        assert_refused(move.run("switch", address), reason)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "APP_FORMER_DATABASE_HOST: missing (or give APP_FORMER_DATABASE_URL)"),
        (
            {"APP_FORMER_DATABASE_URL": "sqlite:///x"},
            "APP_FORMER_DATABASE_URL: services move from PostgreSQL to PostgreSQL only",
        ),
        (
            {"APP_FORMER_DATABASE_URL": "postgresql+psycopg2://x@127.0.0.1:9/x"},
            "APP_FORMER_DATABASE_URL: is the service's own database",
        ),
        (
            {"APP_FORMER_DATABASE_HOST": "x", "APP_FORMER_DATABASE_PORT": "0"},
            "APP_FORMER_DATABASE_PORT: Input should be greater than or equal to 1",
        ),
    ],
)
def test_a_former_database_that_can_not_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], variables: dict[str, str], reason: str
) -> None:
    given = environment(tmp_path, "postgresql+psycopg2://x@127.0.0.1:9/x", port=1, **variables)
    with patch.dict(os.environ, given, clear=True):
        status = main(["split-database", "wait", "--service", "tasks"])
    assert (status, capsys.readouterr().err) == (2, f"error: {reason}\n")
