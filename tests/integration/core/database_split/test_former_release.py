"""The former release while services leave its database: what it forwards, and its background work."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.core.clock import utc_now
from app.core.database_split import fence
from app.core.database_split import switch as switching
from app.core.database_split.moved_services import MovedServices
from app.core.errors import MovingError
from app.core.events.model import Event
from app.core.jobs.background import Cleaner
from app.core.jobs.data_export_job import MOVED
from app.core.jobs.data_export_service import MOVING
from app.core.jobs.model import Job
from app.core.jobs.scheduler import Entry, Scheduler
from tests.integration.core.sqlite_migration.test_forwarding import Heir, heir_at
from tests.support.api import Person, assert_problem
from tests.support.background import do_jobs
from tests.support.ports import free_port, wait_for
from tests.support.postgres import Postgres
from tests.support.settings import make_settings
from tests.support.split import Move, move_of
from tests.support.storage import storage_of


@pytest.fixture
def former(move: Move) -> Iterator[Container]:
    """The former release, on a database with the fence's triggers for the tasks service."""
    move.succeed("prepare")
    container = build(make_settings(move.former_url, job_poll=0.05))
    yield container
    container.database.dispose()


@pytest.fixture
def heir() -> Iterator[Heir]:
    with heir_at(free_port()) as started:
        yield started


def leave(move: Move, address: str = "http://127.0.0.1:9", service: str = "tasks") -> None:
    """Mark a service as moved."""
    move.ask(f"INSERT INTO {fence.MOVED_SERVICES} VALUES ('{service}', '{address}', 0)")  # noqa: S608 names of ours


def test_requests_of_a_moved_service_are_forwarded_and_others_answered(
    former: Container, move: Move, heir: Heir
) -> None:
    person = Person(create_app(former).test_client()).register()
    assert person.call("GET", "/tasks").status_code == 200
    leave(move, heir.address)
    # A write is refused, and leads there even while the move is not known yet.
    assert person.call("POST", "/tasks", json={"title": "Anew"}).status_code == 418
    assert person.call("GET", "/tasks?limit=5").status_code == 418
    assert person.call("GET", "/users/me").status_code == 200
    assert person.call("GET", "/notifications").status_code == 200
    assert person.call("GET", "/nowhere").status_code == 404
    assert person.client.get("/api/v1/files/x?service=tasks&expires=1&signature=x").status_code == 418
    assert person.client.get("/").status_code == 200
    lines = [line for line, _, _ in heir.asked]
    assert [line.split()[0] for line in lines] == ["POST", "GET", "GET"]
    assert lines[1] == "GET /api/v1/tasks?limit=5 HTTP/1.1"


def test_a_move_is_known_after_half_a_second_while_the_database_answers(former: Container, move: Move) -> None:
    time = 0.0
    moved = MovedServices(former.database.reader, lambda: False, lambda: time)
    assert moved.known() == {}
    leave(move, "http://x:1")
    assert moved.known() == {}
    time = 0.5
    assert moved.known() == {"tasks": "http://x:1"}
    unavailable = MovedServices(former.database.reader, lambda: True, lambda: time)
    assert unavailable.now() == {}


def test_events_wait_for_the_move_of_their_service_where_there_is_no_broker(former: Container, move: Move) -> None:
    with storage_of(former).write() as work:
        work.outbox.add(Event(uuid4(), "user.deleted", uuid4(), utc_now()))
    leave(move)
    [relay] = [loop for loop in former.background.loops if loop.name == "relay"]
    relay.run()  # ends by itself
    assert move.ask("SELECT count(*) FROM outbox WHERE carried_at IS NULL") == 1


def test_no_copy_of_all_data_is_made_after_a_service_has_moved(former: Container, move: Move) -> None:
    person = Person(create_app(former).test_client()).register()
    assert person.call("POST", "/users/me/export").status_code == 202
    leave(move, service="analytics")
    do_jobs(former)
    # Made no more, rather than with data as it was before the move.
    assert move.ask("SELECT state || ': ' || error FROM jobs WHERE kind = 'data-export'") == f"failed: {MOVED}"
    assert assert_problem(person.call("POST", "/users/me/export"), 503)["detail"] == MOVING


def test_jobs_of_other_services_are_done_after_one_has_moved(former: Container, move: Move) -> None:
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    storage = storage_of(former)
    with storage.write() as work:
        for kind in ("snapshot", "aggregate"):
            work.jobs.add(Job(uuid4(), None, kind, utc_now()))
    leave(move)
    scheduler = Scheduler(storage, [Entry("snapshot", 3), Entry("deletions", 3)], lambda: now, lambda: UUID(int=7))
    scheduler.run_once()
    former.background.runner.run(UUID(move.ask("SELECT id FROM jobs WHERE kind = 'snapshot'")))
    move.ask("DELETE FROM jobs WHERE kind = 'snapshot'")  # as the switch does
    do_jobs(former)
    assert move.ask("SELECT array_agg(kind || ' ' || state ORDER BY kind) FROM jobs") == [
        "aggregate succeeded",
        "deletions succeeded",
    ]


def test_a_job_whose_service_moves_while_it_runs_is_left_to_the_new_one(former: Container, move: Move) -> None:
    storage = storage_of(former)
    with storage.write() as work:
        work.jobs.add(Job(job_id := uuid4(), None, "snapshot", utc_now()))
    runner = former.background.runner._by_kind["snapshot"]
    steps = runner._steps

    def move_first(*arguments: UUID) -> None:
        leave(move)
        steps(*arguments)

    runner._steps = move_first  # type: ignore[method-assign, assignment]
    former.background.runner.run(job_id)
    assert move.ask("SELECT state || ' ' || attempts FROM jobs") == "running 1"


def test_deliveries_of_other_services_are_retried_after_one_has_moved(former: Container, move: Move) -> None:
    user = uuid4()
    for consumer in ("tasks.erasure", "analytics.erasure"):
        move.ask(
            "INSERT INTO failed_deliveries"  # noqa: S608 names of ours
            f" VALUES ('{consumer}', gen_random_uuid(), 'user.deleted', '{user}', now(), '{{}}', 1, 'Error', now())"
        )
    leave(move)
    former.background.transport.run_once()
    assert move.ask("SELECT array_agg(consumer) FROM failed_deliveries") == ["tasks.erasure"]
    assert move.ask("SELECT array_agg(kind) FROM jobs") == ["erasure.analytics"]


def test_rows_of_other_services_expire_after_one_has_moved(former: Container, move: Move) -> None:
    move.ask(
        "INSERT INTO notifications SELECT gen_random_uuid(), gen_random_uuid(), 'reminder', gen_random_uuid(), 'x',"
        " now() - interval '10 years'"
    )
    move.ask("INSERT INTO handled_events VALUES ('tasks.erasure', gen_random_uuid(), now() - interval '10 years')")
    leave(move)
    Cleaner(storage_of(former), utc_now, lambda: False, former.background.rules).run_once()
    assert move.ask("SELECT count(*) FROM notifications") == 0
    assert move.ask("SELECT count(*) FROM handled_events") == 0


def test_mails_that_are_being_sent_end_before_the_switch_and_none_is_begun(logical: Postgres, address: str) -> None:
    with move_of("notifications", logical) as move, ThreadPoolExecutor(1) as threads:
        move.ready()
        container = build(make_settings(move.former_url))
        storage, now, lease = storage_of(container), utc_now(), uuid4()
        sent, waiting = uuid4(), uuid4()
        later = now + timedelta(minutes=5)
        with storage.write() as work:
            for job_id in (sent, waiting):
                work.jobs.add(Job(job_id, None, "reminder", now))
            assert work.jobs.claim(sent, ["reminder"], lease, now, later)
        step = threads.submit(move.run, "switch", address)
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted"
        wait_for(lambda: move.ask(locks) == 1, "the switch waits for the mail")
        with pytest.raises(MovingError), storage.write() as work:
            work.jobs.claim(waiting, ["reminder"], uuid4(), now, later)
        with storage.write() as work:  # what users do goes on
            work.mails.add("reminder", {})
            work.jobs.finish(sent, lease, "succeeded", now)
        if step.result(60).status:
            move.switch(address)
        assert move.administer("SELECT array_agg(state ORDER BY state) FROM jobs") == ["queued", "queued", "succeeded"]
        container.database.dispose()


def test_a_mail_that_is_not_sent_in_time_keeps_the_service_where_it_is(
    logical: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "SIDE_EFFECTS", 0)
    with move_of("notifications", logical) as move:
        move.ready()
        now = utc_now()
        with storage_of(container := build(make_settings(move.former_url))).write() as work:
            work.jobs.add(Job(job_id := uuid4(), None, "reminder", now))
            work.jobs.claim(job_id, ["reminder"], uuid4(), now, now + timedelta(minutes=5))
        said = move.run("switch", address)
        container.database.dispose()
        assert said.error == "error: jobs of notifications that send mails still run: nothing was moved, try again\n"
        assert move.ask("SELECT count(*) FROM moved_services") == 0
