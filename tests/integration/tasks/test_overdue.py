"""Overdue tasks: published once for each due date, and not if the reason is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.bootstrap.container import Container
from app.core.clock import new_id
from app.core.events.tables import OutboxRow
from app.tasks.reminder_repository import LATEST_NOTICE
from app.tasks.reminders import OverdueService
from tests.support.api import Person
from tests.support.at_once import at_once
from tests.support.storage import storage_of

DUE = datetime.now(UTC) + timedelta(hours=1)
LATER = DUE + timedelta(hours=1)


def overdue(container: Container, now: datetime = DUE) -> OverdueService:
    return OverdueService(storage_of(container), lambda: now, new_id)


def published(container: Container) -> list[dict[str, Any]]:
    with storage_of(container).read() as work:
        chosen = select(OutboxRow.payload).where(OutboxRow.name == "task.overdue").order_by(OutboxRow.id)
        return list(work.session.scalars(chosen))


def test_a_passed_due_date_is_published_once(person: Person, container: Container) -> None:
    task = person.create(title="Milk", due_at=DUE.isoformat())
    assert not overdue(container, DUE - timedelta(seconds=1)).run_once()
    assert overdue(container).run_once()
    assert not overdue(container, LATER).run_once()
    [facts] = published(container)
    assert (facts["task_id"], facts["title"]) == (task["id"], "Milk")


def test_another_due_date_is_published_when_it_has_passed(person: Person, container: Container) -> None:
    task = person.create(due_at=DUE.isoformat())
    overdue(container).run_once()
    person.call("PATCH", f"/tasks/{task['id']}", json={"title": "Bread"})
    assert not overdue(container, LATER).run_once()
    person.call("PATCH", f"/tasks/{task['id']}", json={"due_at": LATER.isoformat()})
    assert overdue(container, LATER).run_once()
    assert len(published(container)) == 2


@pytest.mark.parametrize("change", [{"status": "done"}, {"due_at": None}, None], ids=["done", "cleared", "deleted"])
def test_done_and_deleted_tasks_are_not_overdue(
    person: Person, container: Container, change: dict[str, object] | None
) -> None:
    task = person.create(due_at=DUE.isoformat())
    method = "DELETE" if change is None else "PATCH"
    assert person.call(method, f"/tasks/{task['id']}", **({"json": change} if change else {})).status_code < 300
    assert not overdue(container).run_once()
    assert published(container) == []


def test_a_due_date_long_ago_is_not_published(person: Person, container: Container) -> None:
    person.create(due_at=DUE.isoformat())
    assert not overdue(container, DUE + LATEST_NOTICE).run_once()
    assert overdue(container, DUE + LATEST_NOTICE - timedelta(seconds=1)).run_once()


def test_concurrent_processes_publish_each_once(person: Person, container: Container) -> None:
    expected = {person.create(due_at=DUE.isoformat())["id"] for _ in range(30)}
    at_once(lambda: overdue(container).run_once)
    assert sorted(facts["task_id"] for facts in published(container)) == sorted(expected)
