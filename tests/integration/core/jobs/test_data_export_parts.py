"""Parts of a data export: each service, alone on a database of its own, makes its part of a user's data."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.services import SERVICES
from app.core.clock import new_id, utc_now
from app.core.events.model import EXPORT_REQUESTED, Event
from app.core.events.relay import Relay
from app.core.jobs.data_export_job import KIND, MOVED
from app.core.jobs.model import Job, PermanentError, State
from app.core.jobs.tables import JobFileRow
from app.tasks.personal_data import TasksData
from tests.support.api import PASSWORD, V1, Person, assert_problem
from tests.support.background import do_jobs
from tests.support.postgres import Postgres
from tests.support.settings import make_settings
from tests.support.storage import storage_of


class System:
    """The services, each with an application and a database of its own; events go when the test says so."""

    def __init__(self, containers: dict[str, Container]) -> None:
        self.containers = containers
        self._clients = {name: create_app(each).test_client() for name, each in containers.items()}

    def register(self) -> Person:
        return Person(self._clients["auth"]).register()

    def at(self, service: str, person: Person) -> Person:
        """Return the same person, as a client of another service."""
        return Person(self._clients[service], access_token=person.access_token)

    def request(self, person: Person) -> str:
        """Ask for a copy, and return its id."""
        asked = person.call("POST", "/users/me/export")
        assert asked.status_code == 202, asked.text
        return str(asked.get_json()["id"])

    def part(self, person: Person, service: str, export: str, below: str = "") -> TestResponse:
        return self.at(service, person).call("GET", f"/users/me/export/{service}/{export}{below}")

    def publish(self, events: Sequence[Event]) -> None:
        """Hand events over to the services that subscribe to them: the interface of a transport."""
        for container in self.containers.values():
            container.background.transport.publish(events)

    def hand_over(self) -> None:
        while Relay(storage_of(self.containers["auth"]), self, utc_now).run_once():
            pass

    def work(self) -> None:
        """Hand events over, and do the jobs of every service."""
        self.hand_over()
        for container in self.containers.values():
            do_jobs(container)

    def jobs(self, service: str, person_id: UUID) -> dict[UUID, State]:
        with storage_of(self.containers[service]).read() as work:
            return {job.id: job.state for job in work.jobs.find(person_id, None, 100)}


@pytest.fixture
def system(postgres: Postgres, keys_url: str) -> Iterator[System]:
    names = {service: f"{service}_{uuid4().hex}" for service in SERVICES}
    for name in names.values():
        postgres.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
    containers = {
        service: build(make_settings(postgres.url(name), jwks_url=keys_url), services=(service,))
        for service, name in names.items()
    }
    yield System(containers)
    for service, name in names.items():
        containers[service].database.dispose()
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def person(system: System) -> Person:
    return system.register()


def id_of(person: Person) -> UUID:
    return UUID(person.call("GET", "/users/me").get_json()["id"])


def requested(user_id: UUID, export_id: UUID) -> Event:
    return Event(new_id(), EXPORT_REQUESTED, user_id, utc_now(), {"export_id": str(export_id)})


def files_of(answer: TestResponse) -> dict[str, bytes]:
    assert answer.mimetype == "application/zip", answer.text
    with ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_each_service_makes_its_part_in_a_folder_of_its_name(system: System, person: Person) -> None:
    system.at("tasks", person).create(title="Mine")
    system.at("tasks", system.register()).create(title="None of your business")
    asked = person.call("POST", "/users/me/export")
    body = asked.get_json()
    export = body["id"]
    assert [part["service"] for part in body["parts"]] == list(SERVICES)
    assert asked.headers["Location"] == f"{V1}/users/me/export/auth/{export}"
    system.work()
    found: dict[str, bytes] = {}
    for part in body["parts"]:
        service, path = part["service"], part["url"].removeprefix(V1)
        job = system.at(service, person).call("GET", path).get_json()
        assert (job["id"], job["kind"], job["state"]) == (export, f"data-export.{service}", "succeeded")
        assert job["result_url"] == f"{part['url']}/result"
        sent = system.at(service, person).call("GET", job["result_url"].removeprefix(V1))
        assert f"my-data-{service}.zip" in sent.headers["Content-Disposition"]
        files = files_of(sent)
        assert {name.partition("/")[0] for name in files} == {service}
        found |= files
    assert json.loads(found["auth/account.json"])["email"] == person.email
    assert [task["title"] for task in json.loads(found["tasks/tasks-0001.json"])] == ["Mine"]
    assert json.loads(found["notifications/mail-preferences.json"])["recipient"]["email"] == person.email
    assert json.loads(found["analytics/statistics.json"]) == []
    assert b"None of your business" not in b"".join(found.values())


def test_a_part_is_private_to_its_user(system: System, person: Person) -> None:
    export = system.request(person)
    system.work()
    stranger = system.register()
    for service in SERVICES:
        for below in ("", "/result"):
            assert system.part(person, service, export, below).status_code == 200
            assert_problem(system.part(stranger, service, export, below), 404)
            assert_problem(system.part(replace(person, access_token="none"), service, export, below), 401)


def test_a_part_is_unknown_until_its_service_has_heard_of_it_and_has_no_result_before_it_is_done(
    system: System, person: Person
) -> None:
    export = system.request(person)
    assert_problem(system.part(person, "tasks", export), 404)
    system.hand_over()
    assert system.part(person, "tasks", export).get_json()["state"] == "queued"
    assert_problem(system.part(person, "tasks", export, "/result"), 404)


def test_other_jobs_are_no_parts(system: System, person: Person) -> None:
    job = system.at("tasks", person).call("POST", "/tasks/exports", json={})
    assert job.status_code == 202, job.text
    assert_problem(system.part(person, "tasks", job.get_json()["id"]), 404)


def test_a_part_that_fails_is_said_and_the_others_are_made(
    system: System, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise PermanentError("The tasks can't be read.")

    monkeypatch.setattr(TasksData, "page", fail)
    export = system.request(person)
    system.work()
    states = {service: system.part(person, service, export).get_json() for service in SERVICES}
    assert {service: job["state"] for service, job in states.items()} == {
        **dict.fromkeys(SERVICES, "succeeded"),
        "tasks": "failed",
    }
    assert states["tasks"]["error"] == "The tasks can't be read."


def test_while_auths_part_is_under_way_it_is_asked_for_once(system: System, person: Person) -> None:
    export = system.request(person)
    assert system.request(person) == export
    with storage_of(system.containers["auth"]).read() as work:
        assert [event.name for event in work.outbox.waiting(100)].count(EXPORT_REQUESTED) == 1
    system.work()
    latest = system.request(person)
    assert latest != export
    listed = person.call("GET", "/users/me/export").get_json()["items"]
    assert [(copy["id"], copy["state"], len(copy["parts"])) for copy in listed] == [
        (latest, "queued", len(SERVICES)),
        (export, "succeeded", len(SERVICES)),
    ]


def test_under_a_key_a_copy_is_asked_for_once(system: System, person: Person) -> None:
    headers = {"Idempotency-Key": "once"}
    first = person.call("POST", "/users/me/export", headers=headers).get_json()["id"]
    system.work()
    assert person.call("POST", "/users/me/export", headers=headers).get_json()["id"] == first
    assert len(system.jobs("auth", id_of(person))) == 1


def test_a_later_request_cancels_the_part_of_an_earlier_one_in_whatever_order_they_come(
    system: System, person: Person
) -> None:
    user_id = id_of(person)
    first, second, third = (new_id() for _ in range(3))
    for export in (second, third, first):
        system.publish([requested(user_id, export)])
    assert system.jobs("tasks", user_id) == {second: State.CANCELLED, third: State.QUEUED}


def test_an_event_that_comes_twice_makes_one_part(system: System, person: Person) -> None:
    event = requested(id_of(person), new_id())
    system.publish([event])
    system.work()
    system.publish([event])
    assert list(system.jobs("tasks", id_of(person)).values()) == [State.SUCCEEDED]


def test_parts_are_deleted_with_the_account_and_none_is_made_afterwards(system: System, person: Person) -> None:
    user_id = id_of(person)
    system.request(person)
    system.work()
    assert person.call("DELETE", "/users/me", json={"password": PASSWORD}).status_code == 204
    system.work()
    system.publish([requested(user_id, new_id())])
    for service, container in system.containers.items():
        assert system.jobs(service, user_id) == {}, service
        with storage_of(container).read() as work:
            assert work.session.scalar(select(func.count()).select_from(JobFileRow)) == 0, service


def test_a_copy_of_all_data_that_was_not_finished_before_the_services_moved_says_so(
    system: System, person: Person
) -> None:
    user_id = id_of(person)
    with storage_of(system.containers["tasks"]).write() as work:
        work.jobs.add(Job(job_id := new_id(), user_id, KIND, utc_now()))
    do_jobs(system.containers["tasks"])
    job = system.at("tasks", person).call("GET", f"/jobs/{job_id}").get_json()
    assert (job["state"], job["error"]) == ("failed", MOVED)
