"""Tasks over HTTP, on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.support.api import Person, assert_problem


def test_a_task_is_created_read_changed_and_deleted(person: Person) -> None:
    response = person.call(
        "POST", "/tasks", json={"title": " Buy milk ", "description": "two", "due_at": "2030-06-01T10:00:00+02:00"}
    )
    task = response.get_json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/v1/tasks/{task['id']}"
    assert task["title"] == "Buy milk"
    assert task["due_at"] == "2030-06-01T08:00:00Z"
    assert (task["status"], task["version"]) == ("todo", 1)

    assert person.call("GET", f"/tasks/{task['id']}").get_json() == task

    changed = person.call("PATCH", f"/tasks/{task['id']}", json={"status": "done", "due_at": None}).get_json()
    assert changed == {
        **task,
        "status": "done",
        "due_at": None,
        "version": 2,
        "updated_at": changed["updated_at"],
    }
    assert changed["updated_at"] > task["updated_at"]

    assert person.call("DELETE", f"/tasks/{task['id']}").status_code == 204
    assert_problem(person.call("GET", f"/tasks/{task['id']}"), 404)
    assert_problem(person.call("DELETE", f"/tasks/{task['id']}"), 404)


def test_a_task_stores_its_reminder(person: Person) -> None:
    task = person.create(remind_at="2030-06-01T10:00:00+02:00")
    assert task["remind_at"] == "2030-06-01T08:00:00Z"
    assert person.walk() == [task]
    path = f"/tasks/{task['id']}"
    assert person.call("PATCH", path, json={"title": "Other"}).get_json()["remind_at"] == task["remind_at"]
    later = person.call("PATCH", path, json={"remind_at": "2031-01-01T00:00:00Z"}).get_json()
    assert (later["remind_at"], later["version"]) == ("2031-01-01T00:00:00Z", 3)
    assert person.call("PATCH", path, json={"remind_at": None}).get_json()["remind_at"] is None
    assert_problem(person.call("PATCH", path, json={"remind_at": "tomorrow"}), 422)


def test_an_empty_change_leaves_version_and_time(person: Person) -> None:
    task = person.create(title="Same")
    for body in ({}, {"title": "Same"}):
        assert person.call("PATCH", f"/tasks/{task['id']}", json=body).get_json() == task


def test_times_keep_their_microseconds(person: Person) -> None:
    task = person.create(due_at="2030-06-01T10:00:00.123456Z")
    assert person.call("GET", f"/tasks/{task['id']}").get_json()["due_at"] == "2030-06-01T10:00:00.123456Z"
    made = datetime.fromisoformat(task["created_at"])
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60


def test_a_task_of_another_user_is_not_found(new_person: Callable[[], Person]) -> None:
    owner, other = new_person(), new_person()
    task = owner.create()
    for method, body in (("GET", None), ("PATCH", {"title": "Mine now"}), ("DELETE", None)):
        foreign = assert_problem(other.call(method, f"/tasks/{task['id']}", json=body), 404)
        for unknown in ("01890000-0000-7000-8000-000000000000", "nonsense"):
            missing = assert_problem(other.call(method, f"/tasks/{unknown}", json=body), 404)
            assert {**missing, "instance": "", "request_id": ""} == {**foreign, "instance": "", "request_id": ""}
    assert other.walk() == []
    assert owner.call("GET", f"/tasks/{task['id']}").get_json() == task


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"title": "nul\x00"}, "title"),
        ({"title": 7}, "title"),
        ({"title": None}, "title"),
        ({"title": "x", "description": "nul\x00"}, "description"),
        ({"title": "x", "description": "d" * 10_001}, "description"),
        ({"title": "x", "status": "later"}, "status"),
        ({"title": "x", "due_at": "2030-01-01"}, "due_at"),
        ({"title": "x", "due_at": "2030-01-01T00:00:00"}, "due_at"),
        ({"title": "x", "due_at": "2030-02-30T00:00:00Z"}, "due_at"),
        ({"title": "x", "due_at": "0001-01-01T00:00:00+14:00"}, "due_at"),
        ({"title": "x", "due_at": 1893456000}, "due_at"),
        ({"title": "x", "id": "01890000-0000-7000-8000-000000000000"}, "id"),
        ({"title": "x", "user_id": "01890000-0000-7000-8000-000000000000"}, "user_id"),
        ({"title": "x", "version": 9}, "version"),
    ],
)
def test_a_task_that_violates_its_schema_is_rejected(person: Person, body: dict[str, object], field: str) -> None:
    problem = assert_problem(person.call("POST", "/tasks", json=body), 422)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert person.walk() == []


@pytest.mark.parametrize("body", [{"title": None}, {"status": None}, {"description": None}, {"created_at": "x"}])
def test_a_change_that_violates_its_schema_is_rejected(person: Person, body: dict[str, object]) -> None:
    task = person.create()
    assert_problem(person.call("PATCH", f"/tasks/{task['id']}", json=body), 422)
    assert person.call("GET", f"/tasks/{task['id']}").get_json() == task


def test_filters_narrow_the_list(person: Person) -> None:
    person.create(title="Éclair", description="from the BAKERY", due_at="2030-01-01T00:00:00Z")
    person.create(title="Bread", status="done", due_at="2030-01-02T00:00:00Z")
    person.create(title="100 % sure_thing", status="in_progress")

    def titles(**query: str) -> list[str]:
        return [task["title"] for task in person.walk(sort="title", **query)]

    assert titles(status="done") == ["Bread"]
    assert titles(q="éCLAIR") == ["Éclair"]
    assert titles(q="bakery") == ["Éclair"]
    assert titles(q="%") == ["100 % sure_thing"]
    assert titles(q="e_t") == ["100 % sure_thing"]
    assert titles(q="\\") == []
    assert titles(due_after="2030-01-01T00:00:00Z") == ["Bread", "Éclair"]
    assert titles(due_after="2030-01-01T00:00:00.000001Z") == ["Bread"]
    assert titles(due_before="2030-01-02T00:00:00Z") == ["Éclair"]
    assert titles(due_after="2030-01-02T00:00:00Z", due_before="2030-01-02T00:00:00Z") == []
    assert titles(status="", q="", due_before="") == ["100 % sure_thing", "Bread", "Éclair"]
    assert titles(status="todo", q="bread") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"sort": "colour"}, "sort"),
        ({"status": "later"}, "status"),
        ({"due_before": "soon"}, "due_before"),
        ({"colour": "red"}, "colour"),
        ({"q": "nul\x00"}, "q"),
        ({"cursor": "A" * 2001}, "cursor"),
    ],
)
def test_invalid_list_parameters_are_rejected(person: Person, query: dict[str, str], field: str) -> None:
    problem = assert_problem(person.call("GET", "/tasks", query_string=query), 422)
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize("cursor", ["?", "é", "nonsense", "A" * 2000, "=", "AA==", "\x00"])
def test_a_malformed_cursor_is_a_400(person: Person, cursor: str) -> None:
    problem = assert_problem(person.call("GET", "/tasks", query_string={"cursor": cursor}), 400)
    assert [error["field"] for error in problem["errors"]] == ["cursor"]


def test_a_cursor_is_good_for_its_own_list_only(new_person: Callable[[], Person]) -> None:
    person, other = new_person(), new_person()
    for number in range(3):
        person.create(title=f"Task {number}")
        other.create(title=f"Task {number}")
    cursor = person.call("GET", "/tasks", query_string={"limit": 1}).get_json()["next_cursor"]
    assert len(person.call("GET", "/tasks", query_string={"limit": 2, "cursor": cursor}).get_json()["items"]) == 2
    for query in ({"sort": "title"}, {"status": "todo"}, {"q": "task"}, {"due_before": "2030-01-01T00:00:00Z"}):
        assert_problem(person.call("GET", "/tasks", query_string={**query, "cursor": cursor}), 400)
    assert_problem(other.call("GET", "/tasks", query_string={"cursor": cursor}), 400)
    changed = ("A" if cursor[-5] != "A" else "B").join((cursor[:-5], cursor[-4:]))
    assert_problem(person.call("GET", "/tasks", query_string={"cursor": changed}), 400)
