"""Tags and bulk changes, on both databases."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tasks.model import tag_form, tag_forms
from tests.support.api import Person, assert_problem

NOWHERE = str(UUID(int=7))


def bulk(person: Person, tasks: list[dict[str, Any]], **body: Any) -> dict[str, Any]:
    response = person.call("POST", "/tasks/bulk", json={"ids": [task["id"] for task in tasks], **body})
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.get_json()
    return result


def test_tags_of_a_task_are_unique_regardless_of_case(person: Person) -> None:
    task = person.create(tags=["Home", " home ", "a  b", "ÉTÉ"])
    assert task["tags"] == ["a b", "home", "été"]
    assert person.walk() == [task]
    changed = person.call("PATCH", f"/tasks/{task['id']}", json={"tags": ["work"]}).get_json()
    assert (changed["tags"], changed["version"]) == (["work"], 2)
    assert person.call("PATCH", f"/tasks/{task['id']}", json={"title": "Same"}).get_json()["tags"] == ["work"]
    assert person.call("PATCH", f"/tasks/{task['id']}", json={"tags": []}).get_json()["tags"] == []


@pytest.mark.parametrize("tags", [[""], ["x" * 51], ["a\nb"], ["x"] * 21, "home", [1], None])
def test_invalid_tags_are_rejected(person: Person, tags: Any) -> None:
    assert_problem(person.call("POST", "/tasks", json={"title": "A task", "tags": tags}), 422)
    assert person.walk() == []


def test_a_list_is_filtered_by_tag_and_paged(person: Person, new_person: Any) -> None:
    for number in range(5):
        person.create(title=f"{number}", tags=["odd" if number % 2 else "even", "all"])
    new_person().create(tags=["odd"])
    assert [task["title"] for task in person.walk(tag="ODD", limit=1)] == ["3", "1"]
    assert person.walk(tag="none") == []
    cursor = person.call("GET", "/tasks", query_string={"tag": "odd", "limit": 1}).get_json()["next_cursor"]
    assert_problem(person.call("GET", "/tasks", query_string={"tag": "all", "limit": 1, "cursor": cursor}), 400)


def test_the_tags_in_use_are_counted(person: Person) -> None:
    first = person.create(tags=["a", "b"])
    person.create(tags=["b"])
    assert person.call("GET", "/tags").get_json()["items"] == [{"name": "a", "count": 1}, {"name": "b", "count": 2}]
    person.call("DELETE", f"/tasks/{first['id']}")
    assert person.call("GET", "/tags").get_json()["items"] == [{"name": "b", "count": 1}]


def test_many_tasks_are_changed_at_once(person: Person) -> None:
    tasks = [person.create(title=f"{number}", tags=["old"]) for number in range(3)]
    missing = {"id": NOWHERE}
    result = bulk(person, [tasks[2], missing, tasks[0]], action="set_status", status="done")
    assert result == {"done": [tasks[2]["id"], tasks[0]["id"]], "missing": [NOWHERE]}
    assert sorted(task["title"] for task in person.walk(status="done")) == ["0", "2"]
    bulk(person, tasks, action="set_due", due_at="2030-01-01T00:00:00Z")
    bulk(person, tasks[:1], action="set_due", due_at=None)
    assert [task["due_at"] for task in person.walk(sort="created_at")] == [None, *["2030-01-01T00:00:00Z"] * 2]
    bulk(person, tasks, action="add_tags", tags=["New", "old"])
    bulk(person, tasks[:1], action="remove_tags", tags=["OLD"])
    assert [task["tags"] for task in person.walk(sort="created_at")] == [["new"], ["new", "old"], ["new", "old"]]
    assert bulk(person, tasks[1:], action="delete")["missing"] == []
    assert [task["title"] for task in person.walk()] == ["0"]


def test_a_bulk_change_does_not_reach_tasks_of_other_users(person: Person, new_person: Any) -> None:
    theirs = new_person().create()
    for body in ({"action": "delete"}, {"action": "set_status", "status": "done"}):
        assert bulk(person, [theirs], **body) == {"done": [], "missing": [theirs["id"]]}


def test_all_or_none_are_changed(person: Person) -> None:
    light, full = person.create(), person.create(tags=[f"{number}" for number in range(20)])
    body = {"ids": [light["id"], full["id"]], "action": "add_tags", "tags": ["one more"]}
    assert_problem(person.call("POST", "/tasks/bulk", json=body), 422)
    assert person.call("GET", f"/tasks/{light['id']}").get_json() == light


@pytest.mark.parametrize(
    "body",
    [
        {"ids": [], "action": "delete"},
        {"ids": [NOWHERE] * 101, "action": "delete"},
        {"ids": ["nonsense"], "action": "delete"},
        {"ids": [NOWHERE], "action": "explode"},
        {"ids": [NOWHERE], "action": "set_status"},
        {"ids": [NOWHERE], "action": "set_status", "status": None},
        {"ids": [NOWHERE], "action": "set_status", "status": "done", "tags": ["a"]},
        {"ids": [NOWHERE], "action": "add_tags", "tags": []},
        {"ids": [NOWHERE], "action": "delete", "status": "done"},
    ],
)
def test_an_invalid_request_is_rejected(person: Person, body: dict[str, Any]) -> None:
    assert_problem(person.call("POST", "/tasks/bulk", json=body), 422)


@given(st.lists(st.text(max_size=50)))
def test_the_form_of_tags_is_stable(texts: list[str]) -> None:
    forms = tag_forms(texts)
    assert tag_forms(forms) == forms
    assert list(forms) == sorted(set(forms))
    assert all(tag_form(text.upper().lower()) == tag_form(text.lower()) for text in texts if text.isascii())
