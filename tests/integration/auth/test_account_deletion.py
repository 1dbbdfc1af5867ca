"""Account deletion: no data of the user is left, and late events or jobs create none, on both databases."""

import json
from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from flask_openapi.openapi import OpenAPI
from PIL import Image
from sqlalchemy import JSON, String, cast, func, or_, select

from app.analytics import personal_data as analytics
from app.auth.deletion_job import RepeatDeletions
from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.schema import tables
from app.core.clock import new_id, utc_now
from app.core.errors import UnauthenticatedError
from app.core.events.model import Event
from app.core.jobs import erasure
from app.core.jobs.background import Cleaner
from app.core.jobs.erasure import Eraser, EraseUser, erase_jobs
from app.core.jobs.model import Job, Step
from app.core.jobs.runner import Runner
from app.core.objects.tables import ObjectChunkRow, ObjectRow
from app.core.retention_rules import FILES
from app.notifications import personal_data as notifications
from app.tasks import personal_data as tasks
from tests.support.api import PASSWORD, Person, assert_problem
from tests.support.background import dispatch_events, do_jobs
from tests.support.fakes import FakeClock
from tests.support.retention import RULES
from tests.support.rows import insert_row
from tests.support.settings import make_settings
from tests.support.storage import SystemUnitOfWork, storage_of

TABLES = {table.name: table for table in tables()}
ERASERS: dict[str, Eraser[SystemUnitOfWork]] = {
    "tasks": tasks.erase,
    "notifications": notifications.erase,
    "analytics": analytics.erase,
    "jobs": erase_jobs,
}
KINDS = {erasure.kind_of(service): erase for service, erase in ERASERS.items()}
KNOW_THE_ID = {"deleted_users", "audit_log"}
"""Tables that keep the id of a deleted user."""

OF_AUTH = {"users", "sessions", "password_resets"}
PASSING = {"outbox", "jobs"}
"""Tables that keep the user's id for some days: published events, and finished jobs."""


def id_of(person: Person) -> UUID:
    return UUID(person.call("GET", "/users/me").get_json()["id"])


def rows_of(container: Container, user_id: UUID) -> dict[str, int]:
    """Return the number of rows of each table that contain a user's id in any column."""
    found = {}
    with storage_of(container).read() as work:
        for table in TABLES.values():
            named = [column for column in table.columns if column.name in ("user_id", "subject_id", "actor_id")]
            named += [table.c.id] if table.name == "users" else []
            texts = [cast(column, String) for column in table.columns if isinstance(column.type, JSON)]
            named_in = [column == user_id for column in named] + [text.contains(str(user_id)) for text in texts]
            if named_in:
                found[table.name] = work.session.scalar(select(func.count()).select_from(table).where(or_(*named_in)))
    return {name: count for name, count in found.items() if count}


def files(container: Container) -> tuple[int, int]:
    with storage_of(container).read() as work:
        counts = [work.session.scalar(select(func.count()).select_from(row)) for row in (ObjectRow, ObjectChunkRow)]
    return counts[0] or 0, counts[1] or 0


def fill(container: Container, person: Person) -> UUID:
    """Create rows of a user in every table with user data."""
    user_id = id_of(person)
    for number in range(3):
        body = {"title": f"Task {number}", "tags": ["a", "b"], "remind_at": utc_now().isoformat()}
        task = person.call("POST", "/tasks", json=body, headers={"Idempotency-Key": uuid4().hex}).get_json()
        person.call("POST", f"/tasks/{task['id']}/attachments", data={"file": (BytesIO(b"bytes"), "note.txt")})
    picture = BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    person.call("PUT", "/users/me/avatar", data={"file": (BytesIO(picture.getvalue()), "me.png")})
    preferences = {"weekly_report": True, "channels": {"overdue": {"email": True}}}
    person.call("PATCH", "/notifications/preferences", json=preferences)
    person.call("POST", "/tasks/imports", data={"file": (BytesIO(b"title\nImported\nx,y\n"), "tasks.csv")})
    person.call("POST", "/tasks/exports", json={})
    person.client.post("/api/v1/auth/password-reset", json={"email": person.email})
    do_jobs(container)
    with storage_of(container).write() as work:
        work.outbox.add(Event(new_id(), "task.reminder_due", user_id, utc_now(), task_payload()))
        for name in ("daily_counts", "failed_deliveries", "phone_numbers"):
            insert_row(work.session, TABLES[name], user_id=user_id)
        work.mails.add("report-mail", {"user_id": str(user_id), "week": "2030-W01", "pdf": "x"})
        work.mails.add("phone-code", {"user_id": str(user_id), "code_id": str(new_id())})
        work.jobs.add(Job(new_id(), None, "report", utc_now(), parameters={"user": str(user_id), "week": "2030-W01"}))
    dispatch_events(container)
    do_jobs(container)
    dispatch_events(container)
    return user_id


@pytest.fixture
def owner(container: Container, person: Person) -> UUID:
    return fill(container, person)


def delete(person: Person, password: str = PASSWORD) -> int:
    return person.call("DELETE", "/users/me", json={"password": password}).status_code


def finish(container: Container) -> None:
    """Deliver a deletion to every service, and run the resulting jobs."""
    dispatch_events(container)
    do_jobs(container)
    Cleaner(storage_of(container), utc_now, container.platform.file_store.sweep, RULES).run_once()


def publish(container: Container, user_id: UUID, name: str, payload: dict[str, object]) -> None:
    with storage_of(container).write() as work:
        work.outbox.add(Event(new_id(), name, user_id, utc_now(), payload))
    finish(container)


def task_payload() -> dict[str, object]:
    now = utc_now().isoformat()
    return {
        "task_id": str(new_id()), "version": 1, "title": "Late", "created_at": now, "status": "todo", "due_at": None,
        "remind_at": now,
    }  # fmt: skip


def test_a_deletion_removes_all_rows_of_the_user_and_none_of_others(
    container: Container, person: Person, owner: UUID, app: OpenAPI
) -> None:
    other = fill(container, Person(app.test_client()).register())
    with_users = {table.name for table in TABLES.values() if "user_id" in table.columns}
    before = rows_of(container, other)
    assert with_users - before.keys() == {"deleted_users", "user_versions"} - before.keys(), "a table without test data"
    assert files(container) == (8, 8)
    assert rows_of(container, owner).keys() == before.keys()

    assert delete(person) == 204
    finish(container)
    assert rows_of(container, owner).keys() == KNOW_THE_ID | PASSING
    assert files(container) == (4, 4)
    assert rows_of(container, other) == before

    Cleaner(storage_of(container), lambda: utc_now() + FILES + timedelta(minutes=1), lambda: False, RULES).run_once()
    assert rows_of(container, owner).keys() == KNOW_THE_ID


def test_each_service_deletes_its_own_rows_without_the_others(container: Container, owner: UUID) -> None:
    """Without the help of foreign keys: the account still exists."""
    before = rows_of(container, owner).keys()
    gone: set[str] = set()
    for erase in ERASERS.values():
        with storage_of(container).write() as work:
            while erase(work, owner, utc_now(), 2):
                pass
        now_gone = before - rows_of(container, owner).keys()
        assert now_gone > gone
        gone = now_gone
    assert before - gone == OF_AUTH | {"outbox"}


def test_a_killed_deletion_resumes_where_it_stopped(
    container: Container, person: Person, owner: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DiedError(BaseException):
        """Not caught by any error handler, like the death of the process."""

    class Dying(EraseUser[SystemUnitOfWork]):
        steps = 0

        def step(self, work: SystemUnitOfWork, job: Job) -> Step:
            done = super().step(work, job)
            self.steps += 1
            if self.steps % 3 == 0:
                raise DiedError
            return done

    monkeypatch.setattr(erasure, "BATCH", 1)
    assert delete(person) == 204
    dispatch_events(container)
    clock = FakeClock()
    clock.now = utc_now()
    handlers = {kind: Dying(erase, clock) for kind, erase in KINDS.items()}
    runner = Runner(storage_of(container), handlers, {}, clock, new_id, lease=10, attempts=100, backoff=1)
    deaths = 0
    while due := _due(container, clock):
        try:
            runner.run(due[0])
        except DiedError:
            deaths += 1
        clock.advance(seconds=11)
    assert deaths > 2
    assert rows_of(container, owner).keys() == KNOW_THE_ID | PASSING


def _due(container: Container, clock: FakeClock) -> list[UUID]:
    with storage_of(container).read() as work:
        return work.jobs.due(clock(), list(KINDS), 1)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("user.changed", {"email": "late@example.org", "name": "Late", "verified": True}),
        ("task.created", task_payload()),
        ("task.reminder_due", task_payload()),
    ],
)
def test_a_late_event_recreates_no_rows(
    container: Container, person: Person, owner: UUID, name: str, payload: dict[str, object]
) -> None:
    delete(person)
    finish(container)
    publish(container, owner, name, payload)
    assert rows_of(container, owner).keys() == KNOW_THE_ID | PASSING


def test_a_retried_delivery_recreates_no_rows(container: Container, person: Person, owner: UUID) -> None:
    delete(person)
    finish(container)
    late = Event(new_id(), "user.changed", owner, utc_now(), {"email": "late@example.org", "name": "Late"})
    with storage_of(container).write() as work:
        work.inbox.record_failure("notifications.recipients", late, "Error", utc_now())
    assert container.background.transport.run_once()
    assert rows_of(container, owner).keys() == KNOW_THE_ID | PASSING


def test_a_job_of_a_deleted_user_does_nothing(container: Container, person: Person, owner: UUID) -> None:
    person.call("POST", "/tasks/imports", data={"file": (BytesIO(b"title\nImported\n"), "tasks.csv")})
    delete(person)
    do_jobs(container)  # before the deletion is delivered to any service
    with storage_of(container).read() as work:
        assert [job.state for job in work.jobs.find(owner, None, 1)] == ["cancelled"]
    finish(container)
    assert rows_of(container, owner).keys() == KNOW_THE_ID | PASSING


def test_rows_written_by_a_concurrent_request_are_deleted_at_night(
    container: Container, person: Person, owner: UUID
) -> None:
    delete(person)
    finish(container)
    with storage_of(container).write() as work:
        for name in ("tasks", "notifications", "task_facts", "jobs"):
            insert_row(work.session, TABLES[name], user_id=owner)
    with storage_of(container).write() as work:
        RepeatDeletions(utc_now, new_id).step(work, Job(new_id(), None, "deletions", utc_now()))
    finish(container)
    assert rows_of(container, owner).keys() == KNOW_THE_ID | PASSING


def test_an_upload_of_a_user_deleted_meanwhile_is_rejected_and_leaves_nothing(
    container: Container, person: Person
) -> None:
    user_id, upload = id_of(person), container.jobs.upload()
    upload.write(b"title\nImported\n")
    upload.close()
    delete(person)
    finish(container)
    with pytest.raises(UnauthenticatedError):
        container.jobs.queue(user_id, "import", upload=upload)
    with storage_of(container).read() as work:
        assert work.files.chunk(upload.job_id, "upload", 0) is None
        assert work.jobs.find(user_id, None, 1) == []


def test_tokens_of_a_deleted_account_are_rejected_and_its_address_is_free(container: Container, person: Person) -> None:
    user_id, other = id_of(person), Person(person.client, person.email).login()
    assert delete(person) == 204
    for session in (person, other):
        for path in ("/users/me", "/tasks", "/notifications", "/statistics", "/jobs"):
            assert_problem(session.call("GET", path), 401)
        assert_problem(session.refresh(), 401)
    body = {"email": person.email, "password": PASSWORD}
    assert_problem(person.client.post("/api/v1/auth/login", json=body), 401)
    again = Person(person.client, person.email).register()
    assert id_of(again) != user_id
    finish(container)
    assert id_of(again) != user_id


def test_tokens_of_a_deleted_account_get_no_cached_responses(database_url: str, valkey: str) -> None:
    container = build(make_settings(database_url, redis_url=valkey))
    try:
        person = Person(create_app(container).test_client()).register()
        for _ in range(2):
            assert person.call("GET", "/tasks").status_code == 200
        assert delete(person) == 204
        assert_problem(person.call("GET", "/tasks"), 401)
    finally:
        container.database.dispose()


@pytest.mark.parametrize("body", [{"password": "wrong password"}, {"password": ""}, {}])
def test_deleting_the_own_account_needs_its_password(person: Person, body: dict[str, str]) -> None:
    problem = assert_problem(person.call("DELETE", "/users/me", json=body), 422)
    assert [error["field"] for error in problem["errors"]] == ["password"]
    assert person.call("GET", "/users/me").status_code == 200
    assert person.refresh().status_code == 200


def test_a_deletion_by_an_administrator_is_audited(container: Container, person: Person, app: OpenAPI) -> None:
    admin = Person(app.test_client()).register()
    container.auth.admin.grant_admin(admin.email)
    admin.login()
    user_id = id_of(person)
    assert admin.call("DELETE", f"/admin/users/{user_id}").status_code == 204
    assert_problem(person.call("GET", "/users/me"), 401)
    assert_problem(admin.call("DELETE", f"/admin/users/{user_id}"), 404)
    [entry] = admin.call("GET", "/admin/audit", query_string={"action": "user.delete"}).get_json()["items"]
    assert (entry["actor_id"], entry["subject_id"]) == (str(id_of(admin)), str(user_id))
    assert person.email not in json.dumps(entry)


def test_the_last_administrator_can_not_be_deleted(container: Container, person: Person, app: OpenAPI) -> None:
    admin = Person(app.test_client()).register()
    container.auth.admin.grant_admin(admin.email)
    admin.login()
    assert_problem(admin.call("DELETE", "/users/me", json={"password": PASSWORD}), 409)
    assert_problem(admin.login().call("DELETE", f"/admin/users/{id_of(admin)}"), 409)
    container.auth.admin.grant_admin(person.email)
    assert delete(admin.login()) == 204


def test_only_administrators_delete_accounts_of_others(person: Person, app: OpenAPI) -> None:
    other = Person(app.test_client()).register()
    assert_problem(person.call("DELETE", f"/admin/users/{id_of(other)}"), 403)
    assert other.call("GET", "/users/me").status_code == 200
