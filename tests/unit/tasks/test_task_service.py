"""Rules of tasks, on fakes."""

from uuid import UUID

import pytest

from app.core.errors import NotFoundError
from app.tasks.model import Status, TaskCreate, TaskPatch
from app.tasks.query import Query, Sort, position, search_text, title_key
from app.tasks.service import TaskService
from tests.support.fakes import Counter, FakeClock, FakeStorage

OWNER, OTHER = UUID(int=1001), UUID(int=1002)


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.service = TaskService(FakeStorage(), self.clock, Counter())


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_new_task_is_todo_at_version_one(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"))
    assert (task.status, task.version, task.created_at) == (Status.TODO, 1, scene.clock.now)
    assert scene.service.get(OWNER, task.id) == task


def test_a_patch_changes_its_fields_and_increments_the_version(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk", "two", due_at=scene.clock.now))
    scene.clock.advance(minutes=1)
    changed = scene.service.update(OWNER, task.id, TaskPatch(status=Status.DONE))
    assert (changed.title, changed.description, changed.due_at) == ("Buy milk", "two", task.due_at)
    assert (changed.status, changed.version, changed.updated_at) == (Status.DONE, 2, scene.clock.now)
    assert scene.service.update(OWNER, task.id, TaskPatch(due_at=None)).due_at is None


def test_a_patch_with_equal_values_changes_nothing(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"))
    scene.clock.advance(minutes=1)
    assert scene.service.update(OWNER, task.id, TaskPatch(title="Buy milk")) == task
    assert scene.service.update(OWNER, task.id, TaskPatch()) == task


def test_other_users_can_not_read_change_or_delete(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Mine"))
    with pytest.raises(NotFoundError):
        scene.service.get(OTHER, task.id)
    with pytest.raises(NotFoundError):
        scene.service.update(OTHER, task.id, TaskPatch(title="Yours"))
    with pytest.raises(NotFoundError):
        scene.service.delete(OTHER, task.id)
    assert scene.service.page(OTHER, Query()).items == []
    assert scene.service.get(OWNER, task.id) == task


def test_only_a_page_with_more_behind_it_has_a_next_position(scene: Scene) -> None:
    tasks = [scene.service.create(OWNER, TaskCreate(f"Task {number}")) for number in range(4)]
    page = scene.service.page(OWNER, Query(limit=3))
    assert [task.id for task in page.items] == [task.id for task in reversed(tasks[1:])]
    assert page.next == position(tasks[1], Sort.CREATED_DOWN)
    rest = scene.service.page(OWNER, Query(limit=3, after=page.next))
    assert ([task.id for task in rest.items], rest.next) == ([tasks[0].id], None)
    assert scene.service.page(OWNER, Query(limit=4)).next is None


def test_texts_are_compared_case_insensitively_in_any_script() -> None:
    assert search_text("STRASSE", "ÀÉ") == search_text("straße", "àé")
    assert title_key("Ωmega") == title_key("ωMEGA")
    assert len(title_key("ß" * 200)) == 200
