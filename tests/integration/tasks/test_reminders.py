"""Reminders: published once per reminder, and not if the reason is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.bootstrap.container import Container
from app.core.clock import new_id
from app.core.events.tables import OutboxRow
from app.tasks.reminders import ReminderService
from tests.support.api import Person
from tests.support.at_once import at_once
from tests.support.storage import storage_of

SOON = datetime.now(UTC) + timedelta(hours=1)
LATER = SOON + timedelta(hours=1)


def reminders(container: Container, now: datetime = SOON) -> ReminderService:
    return ReminderService(storage_of(container), lambda: now, new_id)


def published(container: Container) -> list[dict[str, Any]]:
    with storage_of(container).read() as work:
        due = select(OutboxRow.payload).where(OutboxRow.name == "task.reminder_due").order_by(OutboxRow.id)
        return list(work.session.scalars(due))


def test_a_due_reminder_is_published_once(person: Person, container: Container) -> None:
    task = person.create(title="Milk", remind_at=SOON.isoformat())
    assert not reminders(container, SOON - timedelta(seconds=1)).run_once()
    assert reminders(container).run_once()
    assert not reminders(container, LATER).run_once()
    [facts] = published(container)
    assert (facts["task_id"], facts["title"], facts["version"]) == (task["id"], "Milk", 1)
    assert person.call("GET", f"/tasks/{task['id']}").get_json() == task


def test_another_time_is_another_reminder(person: Person, container: Container) -> None:
    task = person.create(remind_at=SOON.isoformat())
    person.call("PATCH", f"/tasks/{task['id']}", json={"remind_at": LATER.isoformat()})
    assert not reminders(container).run_once()
    assert reminders(container, LATER).run_once()
    later = LATER + timedelta(hours=1)
    person.call("PATCH", f"/tasks/{task['id']}", json={"remind_at": later.isoformat()})
    assert not reminders(container, LATER).run_once()
    assert reminders(container, later).run_once()
    assert len(published(container)) == 2


def test_an_unrelated_change_does_not_remind_again(person: Person, container: Container) -> None:
    task = person.create(remind_at=SOON.isoformat())
    reminders(container).run_once()
    person.call("PATCH", f"/tasks/{task['id']}", json={"title": "Bread"})
    assert not reminders(container, LATER).run_once()


@pytest.mark.parametrize("change", [{"status": "done"}, {"remind_at": None}, None], ids=["done", "cleared", "deleted"])
def test_cleared_reminders_and_those_of_done_or_deleted_tasks_are_not_published(
    person: Person, container: Container, change: dict[str, object] | None
) -> None:
    task = person.create(remind_at=SOON.isoformat())
    method = "DELETE" if change is None else "PATCH"
    assert person.call(method, f"/tasks/{task['id']}", **({"json": change} if change else {})).status_code < 300
    assert not reminders(container).run_once()
    assert published(container) == []


def test_concurrent_schedulers_publish_each_reminder_once(person: Person, container: Container) -> None:
    expected = {person.create(remind_at=SOON.isoformat())["id"] for _ in range(30)}
    at_once(lambda: reminders(container).run_once)
    assert sorted(facts["task_id"] for facts in published(container)) == sorted(expected)


def test_reminders_of_a_crashed_scheduler_are_published_by_the_next(person: Person, container: Container) -> None:
    tasks = [person.create(remind_at=SOON.isoformat())["id"] for _ in range(2)]

    class DiedError(BaseException):
        pass

    made = iter([new_id()])

    def die() -> Any:
        for identifier in made:
            return identifier
        raise DiedError

    with pytest.raises(DiedError):
        ReminderService(storage_of(container), lambda: SOON, die).run_once()
    assert published(container) == []
    assert reminders(container).run_once()
    assert sorted(facts["task_id"] for facts in published(container)) == sorted(tasks)
