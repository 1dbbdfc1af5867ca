"""Pagination: every task once and in order, for any sort order and page size."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from app.core.clock import new_id
from app.core.database.engine import Database
from app.tasks.model import Status, Task, TaskPatch
from app.tasks.query import Filters, Position, Query, Sort, title_key
from app.tasks.service import TaskService
from tests.support.storage import SystemStorage

START = datetime(2030, 1, 1, tzinfo=UTC)

# Few distinct values, for many ties.
times = st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours))
titles = st.sampled_from(["a", "A", "b", "ä", "Z", "straße", "STRASSE", "x_%", "漢字", "\U0001f600"])


@st.composite
def some_tasks(draw: st.DrawFn) -> list[Task]:
    return [
        Task(
            id=new_id(),
            user_id=UUID(int=0),
            title=draw(titles),
            description="",
            status=draw(st.sampled_from(Status)),
            due_at=draw(st.none() | times),
            created_at=draw(times),
            updated_at=draw(times),
            version=1,
        )
        for _ in range(draw(st.integers(0, 12)))
    ]


def expected(tasks: list[Task], sort: Sort) -> list[Task]:
    """Return the tasks as sorted by Python."""

    def key(task: Task) -> tuple[object, UUID]:
        return (title_key(task.title) if sort.field == "title" else getattr(task, sort.field), task.id)

    dated = [task for task in tasks if key(task)[0] is not None]
    undated = [task for task in tasks if key(task)[0] is None]
    dated.sort(key=key, reverse=sort.descending)
    undated.sort(key=lambda task: task.id, reverse=sort.descending)
    return dated + undated


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tasks=some_tasks(), sort=st.sampled_from(Sort), limit=st.integers(1, 5), status=st.none() | st.sampled_from(Status)
)
def test_pages_contain_each_task_once_and_in_order(
    database: Database, tasks: list[Task], sort: Sort, limit: int, status: Status | None
) -> None:
    storage = SystemStorage(database)
    service = TaskService(storage, lambda: START, new_id)
    user_id = uuid4()
    mine = [Task(**{**task.__dict__, "user_id": user_id}) for task in tasks]
    with storage.write() as work:
        for task in mine:
            work.tasks.add(task)

    walked: list[Task] = []
    after: Position | None = None
    while True:
        page = service.page(user_id, Query(Filters(status=status), sort, limit, after))
        assert len(page.items) <= limit
        walked += page.items
        assert len(walked) <= len(mine), "a task appeared twice"
        after = page.next
        if after is None:
            break

    assert walked == expected([task for task in mine if status in (None, task.status)], sort)


@pytest.mark.parametrize("sort", [Sort.DUE, Sort.DUE_DOWN])
def test_a_task_whose_date_is_cleared_during_a_read_appears_once(database: Database, sort: Sort) -> None:
    user_id = uuid4()
    tasks = [
        Task(new_id(), user_id, f"Task {hour}", "", Status.TODO, due_at, START, START, version=1)
        for hour, due_at in enumerate([START, START + timedelta(hours=1), None])
    ]
    storage = SystemStorage(database)
    with storage.write() as work:
        for task in tasks:
            work.tasks.add(task)
    service = TaskService(storage, lambda: START, new_id)
    cleared: list[str] = []

    def clear_a_date(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not cleared and "FROM tasks" in statement:
            cleared.append(statement)
            service.update(user_id, tasks[0].id, TaskPatch(due_at=None))

    event.listen(database.reader, "after_cursor_execute", clear_a_date)
    try:
        page = service.page(user_id, Query(sort=sort, limit=10))
    finally:
        event.remove(database.reader, "after_cursor_execute", clear_a_date)
    assert cleared
    assert sorted(task.id for task in page.items) == sorted(task.id for task in tasks)
