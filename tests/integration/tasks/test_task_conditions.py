"""Conditional requests (ETag) and idempotency keys."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.bootstrap.container import Container
from tests.support.api import Person, assert_problem


def keyed(person: Person, key: str, path: str = "/tasks", **body: Any) -> TestResponse:
    return person.call(
        "POST", path, json={"title": "Once", **body} if path == "/tasks" else body, headers={"Idempotency-Key": key}
    )


def test_a_task_has_an_etag_and_supports_if_none_match(person: Person) -> None:
    task = person.create()
    read = person.call("GET", f"/tasks/{task['id']}")
    assert read.headers["ETag"] == '"1"'
    again = person.call("GET", f"/tasks/{task['id']}", headers={"If-None-Match": '"1"'})
    assert (again.status_code, again.data) == (304, b"")
    changed = person.call("PATCH", f"/tasks/{task['id']}", json={"title": "New"})
    assert changed.headers["ETag"] == '"2"'
    assert person.call("GET", f"/tasks/{task['id']}", headers={"If-None-Match": '"1"'}).status_code == 200


@pytest.mark.parametrize("tag", ['"2"', '"0", "7"', '"nonsense"', 'W/"1"', '""', ""])
def test_a_change_of_another_version_is_rejected(person: Person, tag: str) -> None:
    task = person.create()
    path, headers = f"/tasks/{task['id']}", {"If-Match": tag}
    assert_problem(person.call("PATCH", path, json={"title": "Lost"}, headers=headers), 412)
    assert_problem(person.call("DELETE", path, headers=headers), 412)
    assert person.call("GET", path).get_json() == task


@pytest.mark.parametrize("tag", ['"1"', "*", '"7", "1"'])
def test_a_change_of_the_current_version_is_applied(person: Person, tag: str) -> None:
    task = person.create()
    path, headers = f"/tasks/{task['id']}", {"If-Match": tag}
    assert person.call("PATCH", path, json={"title": "New"}, headers=headers).get_json()["version"] == 2
    assert person.call("DELETE", path, headers={"If-Match": '"2"'}).status_code == 204


def test_of_concurrent_changes_of_a_version_one_is_applied(person: Person) -> None:
    task = person.create()
    app = person.client.application

    def change(number: int) -> int:
        somebody = Person(app.test_client(), access_token=person.access_token)
        body = {"title": f"By {number}"}
        return somebody.call("PATCH", f"/tasks/{task['id']}", json=body, headers={"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(change, range(16))) == [200] + [412] * 15


def test_a_retried_request_gets_the_same_response_and_no_second_task(person: Person) -> None:
    first = keyed(person, "abc")
    person.call("PATCH", f"/tasks/{first.get_json()['id']}", json={"title": "Changed since"})
    again = keyed(person, "abc")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert len(person.walk()) == 1
    assert keyed(person, "another").get_json()["id"] != first.get_json()["id"]


def test_of_fifty_concurrent_requests_with_a_key_one_has_an_effect(person: Person) -> None:
    app = person.client.application

    def send(_number: int) -> TestResponse:
        return keyed(Person(app.test_client(), access_token=person.access_token), "crowd")

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(send, range(50)))
    assert [answer.status_code for answer in answers] == [201] * 50
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert len(person.walk()) == 1


def test_a_key_belongs_to_one_request_of_one_user(person: Person) -> None:
    mine = keyed(person, "abc").get_json()["id"]
    problem = assert_problem(keyed(person, "abc", title="Something else"), 422)
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    problem = assert_problem(keyed(person, "abc", "/tasks/bulk", ids=[mine], action="delete"), 422)
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    other = Person(person.client).register()
    assert keyed(other, "abc").get_json()["id"] != mine


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "é"])
def test_a_malformed_key_is_rejected(person: Person, key: str) -> None:
    assert_problem(keyed(person, key), 422)
    assert person.walk() == []


def test_a_request_that_failed_can_be_sent_again_under_its_key(person: Person) -> None:
    assert_problem(keyed(person, "abc", title=""), 422)
    assert keyed(person, "abc").status_code == 201


def test_a_key_is_known_for_a_day(person: Person, container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    first = keyed(person, "abc").get_json()["id"]
    clock = container.tasks.service._clock
    monkeypatch.setattr(container.tasks.service, "_clock", lambda: clock() + timedelta(hours=23))
    assert keyed(person, "abc").get_json()["id"] == first
    monkeypatch.setattr(container.tasks.service, "_clock", lambda: clock() + timedelta(hours=25))
    assert keyed(person, "abc").get_json()["id"] != first
