"""Steps that are killed, at each place where something has been changed, and are run again."""

import psycopg2
import pytest

from app.core.database.errors import MOVING
from tests.integration.core.database_split.test_switch import assert_same
from tests.support.ports import wait_for
from tests.support.split import Move

PACKAGE = "app.core.database_split"

PREPARE = [
    ("publication", "_prepare_table", "before"),
    ("publication", "_prepare_table", "after"),
    ("publication", "create_slot", "before"),
    ("publication", "create_slot", "after"),
]

SWITCH = [
    ("fence", "acquire", "before"),
    ("switch", "_catch_up", "before"),
    ("switch", "compare", "before"),
    ("fence", "mark_moved", "after"),
    ("switch", "_delete_work", "after"),
    ("switch", "take_over", "before"),
    ("take_over", "_add_ended_sessions", "after"),
    ("take_over", "mark_complete", "after"),
    ("switch", "take_over", "after"),
]


def fill(move: Move) -> None:
    """Add rows of each kind: of the service, of another one, and of both."""
    move.ask(
        "INSERT INTO attachment_usage SELECT gen_random_uuid(), n FROM generate_series(1, 100) n;"
        "INSERT INTO deleted_users VALUES (gen_random_uuid(), now());"
        "INSERT INTO outbox (id, name, at, payload) SELECT gen_random_uuid(), name, now(), '{}'"
        " FROM unnest(ARRAY['task.created', 'user.changed', 'report.ready']) name, generate_series(1, 10);"
        "INSERT INTO handled_events SELECT consumer, gen_random_uuid(), now()"
        " FROM unnest(ARRAY['tasks.erasure', 'jobs.erasure', 'analytics']) consumer, generate_series(1, 10);"
        "INSERT INTO failed_deliveries"
        " SELECT consumer, gen_random_uuid(), 'user.deleted', NULL, now(), '{}', 1, 'Error', now()"
        " FROM unnest(ARRAY['tasks.erasure', 'analytics']) consumer;"
        "INSERT INTO jobs (id, kind, state, parameters, checkpoint, done, refused, attempts, cancelling, created_at,"
        " due_at, lease, announced_at) SELECT gen_random_uuid(), kind, state, '{}', '{}', 0, 0, 1, false, now(),"
        " now() + interval '1 hour', CASE state WHEN 'running' THEN gen_random_uuid() END, now()"
        " FROM unnest(ARRAY['import', 'report', 'erasure.jobs']) kind,"
        " unnest(ARRAY['queued', 'running', 'failed']) state;"
        "INSERT INTO job_files SELECT id, 'upload', 0, 'data', now() FROM jobs"
    )


def accepts_writes(move: Move) -> bool:
    """Return whether the former database takes writes of the service: unless the server still ends the session."""
    try:
        move.ask("INSERT INTO attachment_usage VALUES (gen_random_uuid(), 1)")
    except psycopg2.DatabaseError as error:
        if error.pgcode != MOVING:
            raise
        return False
    return True


def assert_moved(move: Move) -> None:
    """Check that everything has moved that had to, once, and that the rest has stayed."""
    assert_same(move)
    counted = "SELECT array_agg(name || ' ' || n ORDER BY name) FROM (SELECT name, count(*) n FROM {} GROUP BY name) c"
    assert move.administer(counted.format("outbox")) == ["task.created 10"]
    assert move.ask(counted.format("outbox")) == ["report.ready 10", "user.changed 10"]
    consumers = "(SELECT consumer AS name FROM handled_events)"
    assert move.administer(counted.format(f"{consumers} h")) == ["jobs.erasure 10", "tasks.erasure 10"]
    failed = "(SELECT consumer AS name FROM failed_deliveries)"
    assert move.administer(counted.format(f"{failed} f")) == ["tasks.erasure 1"]
    assert move.ask(counted.format(f"{failed} f")) == ["analytics 1"]
    jobs = "(SELECT kind || ' ' || state || coalesce(' under ' || lease, '') AS name FROM jobs)"
    assert move.administer(counted.format(f"{jobs} j")) == [
        "erasure.jobs failed 1",
        "erasure.jobs queued 2",
        "import failed 1",
        "import queued 2",
    ]
    assert move.administer("SELECT count(*) FROM jobs WHERE announced_at IS NOT NULL AND state <> 'failed'") == 0
    left = move.ask("SELECT array_agg(kind || ' ' || state ORDER BY kind, state) FROM jobs")
    assert [each for each in left if each.startswith("import")] == ["import failed"]
    assert len(left) == 7
    files = "SELECT count(*) FROM job_files f LEFT JOIN jobs j ON j.id = f.job_id WHERE j.id IS NULL"
    assert move.administer(files) == 0
    assert move.administer("SELECT count(*) FROM job_files") == 6
    assert move.administer("SELECT count(*) FROM carried") == 1
    assert move.ask("SELECT count(*) FROM moved_services") == 1


def test_a_preparation_that_is_killed_is_resumed(move: Move, address: str) -> None:
    fill(move)
    for module, function, when in PREPARE:
        move.killed("prepare", f"{PACKAGE}.{module}", function, when)
    move.ready()
    move.switch(address)
    assert_moved(move)


@pytest.mark.parametrize(("module", "function", "when"), SWITCH)
def test_a_switch_that_is_killed_is_resumed(move: Move, address: str, module: str, function: str, when: str) -> None:
    fill(move)
    move.ready()
    move.killed("switch", f"{PACKAGE}.{module}", function, when, address)
    if move.ask("SELECT count(*) FROM moved_services") == 0:
        wait_for(lambda: accepts_writes(move), "the former database takes writes again")
    move.switch(address)
    assert_moved(move)
    assert move.switch(address) == "tasks has moved before\n"


def test_a_switch_that_freezes_is_ended_by_the_server(move: Move, address: str) -> None:
    fill(move)
    move.ready()
    with move.frozen("switch", f"{PACKAGE}.fence", "mark_moved", address):
        assert not accepts_writes(move)
        wait_for(lambda: accepts_writes(move), "the server ends the session")
    assert move.ask("SELECT count(*) FROM moved_services") == 0
    move.switch(address)
    assert_moved(move)


def test_a_wait_that_is_killed_is_repeated(move: Move, address: str) -> None:
    fill(move)
    move.succeed("prepare")
    move.subscribe()
    move.killed("wait", f"{PACKAGE}.subscription", "progress", "after")
    move.succeed("wait")
    move.switch(address)
    assert_moved(move)


@pytest.mark.parametrize(
    ("module", "function", "when"), [("publication", "_drop_slot", "after"), ("remove", "_delete", "before")]
)
def test_a_removal_that_is_killed_is_resumed(move: Move, address: str, module: str, function: str, when: str) -> None:
    fill(move)
    move.ready()
    move.switch(address)
    move.unsubscribe()
    move.killed("remove", f"{PACKAGE}.{module}", function, when)
    move.succeed("remove")
    assert_removed(move)


def assert_removed(move: Move) -> None:
    """Check that nothing of the service is left in the former database, and all of the others."""
    assert move.ask("SELECT count(*) FROM pg_tables WHERE tablename = ANY(ARRAY['tasks', 'attachments'])") == 0
    assert move.ask("SELECT count(*) FROM outbox WHERE name LIKE 'task.%'") == 0
    assert move.ask("SELECT count(*) FROM outbox") == 20
    assert move.ask("SELECT array_agg(DISTINCT kind ORDER BY kind) FROM jobs") == ["erasure.jobs", "report"]
    assert move.ask("SELECT count(*) FROM pg_publication") == 0
    assert move.ask("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'moves%'") == 0
    assert move.ask("SELECT count(*) FROM pg_class WHERE relreplident = 'f'") == 0
    assert move.ask("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'split_tasks'") == 0
