"""Idempotency keys of imports, exports, attachments, changes and resumed jobs; rejected by all other operations."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask_openapi.openapi import OpenAPI
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.bootstrap.container import Container
from app.core.http.idempotency import SUPPORTED
from app.core.jobs.tables import JobFileRow, JobRow
from app.core.objects.tables import ObjectRow
from tests.support.api import V1, Person, assert_problem, openapi_document

CSV = b"title\r\nMilk\r\n"
Send = Callable[..., TestResponse]


def send_import(person: Person, key: str, content: bytes = CSV) -> TestResponse:
    data = {"file": (io.BytesIO(content), "tasks.csv")}
    return person.call("POST", "/tasks/imports", data=data, headers={"Idempotency-Key": key})


def send_export(person: Person, key: str, content: bytes = b"") -> TestResponse:
    return person.call("POST", "/tasks/exports", json={"q": content.decode()}, headers={"Idempotency-Key": key})


def attach(person: Person, task_id: str, key: str, content: bytes = b"text", name: str = "notes.txt") -> TestResponse:
    data = {"file": (io.BytesIO(content), name)}
    return person.call("POST", f"/tasks/{task_id}/attachments", data=data, headers={"Idempotency-Key": key})


def rows(container: Container, table: type[Any], *conditions: Any) -> int:
    with container.database.reader.begin() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


@pytest.mark.parametrize("send", [send_import, send_export])
def test_a_retried_request_queues_its_job_once(person: Person, container: Container, send: Send) -> None:
    first = send(person, "abc")
    repeated = send(person, "abc")
    assert (first.status_code, repeated.status_code) == (202, 202)
    assert repeated.get_json()["id"] == first.get_json()["id"]
    assert repeated.headers["Location"] == first.headers["Location"]
    assert rows(container, JobRow) == 1
    assert send(person, "another").get_json()["id"] != first.get_json()["id"]


def test_a_repeated_import_leaves_no_second_copy_of_its_file(person: Person, container: Container) -> None:
    send_import(person, "abc")
    stored = rows(container, JobFileRow)
    send_import(person, "abc")
    assert_problem(send_import(person, "abc", CSV + b"Bread\r\n"), 422)
    assert rows(container, JobFileRow) == stored > 0


def test_a_repeated_import_shows_the_job_as_it_is_now(person: Person, container: Container) -> None:
    send_import(person, "abc")
    while container.inline.run_once():
        pass
    assert send_import(person, "abc").get_json()["state"] == "succeeded"
    assert len(person.walk()) == 1


@pytest.mark.parametrize("send", [send_import, send_export])
def test_a_key_of_a_job_belongs_to_one_request(person: Person, send: Send) -> None:
    send(person, "abc")
    problem = assert_problem(send(person, "abc", b"title\r\nOther\r\n"), 422)
    assert problem["errors"][0]["field"] == "Idempotency-Key"


def test_concurrent_retries_queue_one_import(person: Person, container: Container) -> None:
    app = person.client.application

    def send(_number: int) -> TestResponse:
        return send_import(Person(app.test_client(), access_token=person.access_token), "crowd")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert rows(container, JobRow) == 1
    kept = {answer.get_json()["id"] for answer in answers}
    with container.database.reader.begin() as connection:
        assert {str(found) for found in connection.scalars(select(JobFileRow.job_id))} == kept


def test_a_retried_upload_attaches_its_file_once(person: Person, container: Container) -> None:
    task = person.create()["id"]
    first = attach(person, task, "abc")
    repeated = attach(person, task, "abc")
    assert (first.status_code, repeated.status_code) == (201, 201)
    assert repeated.get_json()["id"] == first.get_json()["id"]
    assert len(person.call("GET", f"/tasks/{task}/attachments").get_json()["items"]) == 1
    assert person.client.get(repeated.get_json()["url"]).data == b"text"
    assert rows(container, ObjectRow) == 1
    for other in (attach(person, task, "abc", b"more"), attach(person, task, "abc", name="other.txt")):
        assert assert_problem(other, 422)["errors"][0]["field"] == "Idempotency-Key"


def test_concurrent_retries_attach_one_file(person: Person, container: Container) -> None:
    task = person.create()["id"]
    app = person.client.application

    def send(_number: int) -> TestResponse:
        return attach(Person(app.test_client(), access_token=person.access_token), task, "crowd")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert person.call("GET", f"/tasks/{task}").get_json()["attachments"] == 1
    assert rows(container, ObjectRow) == 1


def test_a_retried_change_does_not_fail_its_own_precondition(person: Person) -> None:
    task = person.create()
    headers = {"Idempotency-Key": "abc", "If-Match": '"1"'}
    first = person.call("PATCH", f"/tasks/{task['id']}", json={"title": "New"}, headers=headers)
    repeated = person.call("PATCH", f"/tasks/{task['id']}", json={"title": "New"}, headers=headers)
    assert (first.status_code, repeated.status_code) == (200, 200)
    assert repeated.get_json() == first.get_json()
    assert repeated.headers["ETag"] == '"2"'


def test_a_retried_request_resumes_its_job_once(person: Person, container: Container) -> None:
    job = send_import(person, "abc").get_json()["id"]
    person.call("POST", f"/jobs/{job}/cancel")
    path, headers = f"/jobs/{job}/resume", {"Idempotency-Key": "resume"}
    assert person.call("POST", path, headers=headers).status_code == 202
    while container.inline.run_once():
        pass
    assert_problem(person.call("POST", path), 409)
    repeated = person.call("POST", path, headers=headers)
    assert (repeated.status_code, repeated.get_json()["state"]) == (202, "succeeded")
    assert len(person.walk()) == 1


def test_a_key_is_rejected_by_every_operation_that_does_not_honour_it(app: OpenAPI, person: Person) -> None:
    """A new operation has to either honour or reject it."""
    writing = [
        (rule.rule.replace("<", "{").replace(">", "}"), method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"POST", "PATCH"})
    ]
    assert {endpoint for _, _, endpoint in writing} >= SUPPORTED
    for path, method, endpoint in writing:
        assert path.startswith(V1)
        answer = person.call(method, path.removeprefix(V1), headers={"Idempotency-Key": "abc"})
        errors = answer.get_json().get("errors", [])
        refused = (answer.status_code, *(error["field"] for error in errors)) == (422, "Idempotency-Key")
        assert refused == (endpoint not in SUPPORTED), (path, answer.text)


def test_the_document_names_the_key_where_it_is_honoured(app: OpenAPI, person: Person) -> None:
    spec = openapi_document(person.client)
    named = {
        (path, method)
        for path, item in spec["paths"].items()
        for method, operation in item.items()
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
    }
    routes = app.url_map.bind("localhost")
    honoured = {routes.match(path.replace("{", "").replace("}", ""), method.upper())[0] for path, method in named}
    assert honoured == SUPPORTED
