"""Events of tasks: one per change made."""

import io
from typing import Any

from sqlalchemy import select

from app.bootstrap.container import Container
from app.core.events.tables import OutboxRow
from tests.support.api import Person, assert_problem
from tests.support.background import do_jobs

DUE = "2030-01-01T00:00:00Z"


def published(container: Container) -> list[tuple[str, dict[str, Any]]]:
    """Return the task events so far, in order."""
    with container.database.reader.begin() as connection:
        rows = connection.execute(
            select(OutboxRow.name, OutboxRow.payload).where(OutboxRow.name.like("task.%")).order_by(OutboxRow.id)
        )
        return [(row.name, row.payload) for row in rows]


def test_each_change_is_published_with_the_former_state(person: Person, container: Container) -> None:
    task = person.create(title="Milk", remind_at=DUE)
    path = f"/tasks/{task['id']}"
    for body in ({"due_at": DUE}, {"status": "done"}, {"title": "Bread"}, {"status": "todo", "remind_at": None}):
        person.call("PATCH", path, json=body)
    person.call("DELETE", path)
    events = published(container)
    assert [(name, facts["version"]) for name, facts in events] == [
        ("task.created", 1),
        ("task.changed", 2),
        ("task.completed", 3),
        ("task.changed", 4),
        ("task.changed", 5),
        ("task.deleted", 5),
    ]
    assert {facts["task_id"] for _, facts in events} == {task["id"]}
    due = "2030-01-01T00:00:00+00:00"
    assert events[0][1] == {
        "task_id": task["id"], "version": 1, "title": "Milk", "created_at": events[0][1]["created_at"],
        "status": "todo", "due_at": None, "remind_at": due,
    }  # fmt: skip
    assert events[1][1]["was"] == {"status": "todo", "due_at": None, "remind_at": due}
    assert events[2][1]["was"] == {"status": "todo", "due_at": due, "remind_at": due}
    assert (events[4][1]["status"], events[4][1]["remind_at"]) == ("todo", None)


def test_bulk_changes_are_published_one_by_one(person: Person, container: Container) -> None:
    tasks = [person.create()["id"] for _ in range(3)]
    person.call("POST", "/tasks/bulk", json={"ids": tasks[:2], "action": "set_status", "status": "done"})
    person.call("POST", "/tasks/bulk", json={"ids": tasks, "action": "delete"})
    names = [name for name, _ in published(container)]
    assert names == ["task.created"] * 3 + ["task.completed"] * 2 + ["task.deleted"] * 3


def test_an_import_is_published_with_its_outcome_when_it_has_finished(person: Person, container: Container) -> None:
    content = b"title,status\nMilk,todo\nBread,nowhere\nButter,done\n"
    person.call("POST", "/tasks/imports", data={"file": (io.BytesIO(content), "tasks.csv")})
    do_jobs(container)
    names = [name for name, _ in published(container)]
    assert names == ["task.snapshot", "task.import_finished"]
    assert published(container)[-1][1] == {"created": 2, "rejected": 1}


def test_failed_empty_and_repeated_changes_are_not_published(person: Person, container: Container) -> None:
    task = person.create(tags=[f"{number}" for number in range(20)])
    path = f"/tasks/{task['id']}"
    person.call("PATCH", path, json={"title": task["title"]})
    assert_problem(person.call("PATCH", path, json={"title": "x"}, headers={"If-Match": '"7"'}), 412)
    body = {"ids": [task["id"]], "action": "add_tags", "tags": ["one more"]}
    assert_problem(person.call("POST", "/tasks/bulk", json=body), 422)
    for _ in range(2):
        person.call("POST", "/tasks", json={"title": "Once"}, headers={"Idempotency-Key": "abc"})
    assert [name for name, _ in published(container)] == ["task.created"] * 2
