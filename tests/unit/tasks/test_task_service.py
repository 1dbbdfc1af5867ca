"""Rules of tasks, on fakes."""

from collections.abc import Callable
from uuid import UUID

import pytest

from app.core.errors import InvalidError, NotFoundError, PreconditionError
from app.core.events.model import Event
from app.core.idempotency import IdempotencyKey
from app.core.objects.model import StoredObject
from app.tasks.model import Attachment, BulkOutcome, Status, TagCount, TaskCreate, TaskPatch
from app.tasks.query import Query, Sort, position, search_text, title_key
from app.tasks.service import TaskService
from tests.support.fakes import Counter, FakeClock, FakeStorage

OWNER, OTHER = UUID(int=1001), UUID(int=1002)
KEY = IdempotencyKey("key", "digest")
UNKNOWN = r"^There is no such task\.$"


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage()
        self.service = TaskService(self.storage, self.clock, Counter())

    def attach(self, task_id: UUID, file_id: UUID) -> None:
        """Give a task a file."""
        self.storage.attachments.rows.append(
            Attachment(file_id, task_id, OWNER, "a.txt", "text/plain", 1, self.clock.now)
        )
        self.storage.objects.add(StoredObject(file_id, "a.txt", "text/plain", 1), self.clock.now)
        self.clock.advance(minutes=1)
        self.storage.objects.link(file_id, self.clock.now)

    def events(self) -> list[tuple[str, object]]:
        """Return the names of all events, each with its task."""
        return [(event.name, event.payload["task_id"]) for event in self.storage.outbox.events]

    def last_event(self) -> Event:
        return self.storage.outbox.events[-1]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_new_task_is_todo_at_version_one(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"))
    assert (task.status, task.version, task.created_at) == (Status.TODO, 1, scene.clock.now)
    assert scene.service.get(OWNER, task.id) == task


def test_a_new_task_has_what_it_was_made_of(scene: Scene) -> None:
    now = scene.clock.now
    draft = TaskCreate("Buy milk", "two", Status.IN_PROGRESS, now, ("shop",), now)
    task = scene.service.create(OWNER, draft)
    assert (task.user_id, task.created_at, task.updated_at) == (OWNER, now, now)
    made = TaskCreate(task.title, task.description, task.status, task.due_at, task.tags, task.remind_at)
    assert made == draft


def test_each_write_is_published_and_each_event_has_an_id(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"))
    scene.service.update(OWNER, task.id, TaskPatch(status=Status.DONE))
    assert scene.last_event().payload["was"] == {"status": "todo", "due_at": None, "remind_at": None}
    scene.service.update(OWNER, task.id, TaskPatch(title="Buy bread"))
    scene.clock.advance(minutes=1)
    scene.service.delete(OWNER, task.id)
    assert scene.events() == [(f"task.{what}", str(task.id)) for what in ("created", "completed", "changed", "deleted")]
    assert (scene.last_event().user_id, scene.last_event().at) == (OWNER, scene.clock.now)
    ids = [event.id for event in scene.storage.outbox.events]
    assert all(isinstance(event_id, UUID) for event_id in ids)
    assert len({*ids, task.id}) == 5


def test_under_a_key_a_request_is_done_once(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"), KEY)
    assert scene.service.create(OWNER, TaskCreate("Buy milk"), KEY) == task
    to_do = scene.service.create(OWNER, TaskCreate("Buy bread"))
    calls: tuple[Callable[[], object], ...] = (
        lambda: scene.service.update(OWNER, task.id, TaskPatch(title="Buy two"), [1], IdempotencyKey("update", "u")),
        lambda: scene.service.change_many(
            OWNER, [task.id], lambda _: TaskPatch(title="Buy three"), IdempotencyKey("change", "c")
        ),
        lambda: scene.service.delete_many(OWNER, [to_do.id], IdempotencyKey("delete", "d")),
    )
    for call in calls:
        first = call()
        events = len(scene.storage.outbox.events)
        assert call() == first
        assert len(scene.storage.outbox.events) == events
    assert {user_id for user_id, _ in scene.storage.idempotency_keys.rows} == {OWNER}


def test_a_key_is_forgotten_after_a_day(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"), KEY)
    scene.clock.advance(hours=24)
    assert scene.service.create(OWNER, TaskCreate("Buy milk"), KEY) == task
    scene.clock.advance(seconds=1)
    assert scene.service.create(OWNER, TaskCreate("Buy milk"), KEY) != task


def test_a_change_is_bound_to_the_versions_that_are_expected(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"))
    assert scene.service.update(OWNER, task.id, TaskPatch(title="Buy two"), [7, 1]).version == 2
    message = r"^The task has been changed meanwhile: it is at version 2\.$"
    for expected in ([1], []):
        with pytest.raises(PreconditionError, match=message):
            scene.service.update(OWNER, task.id, TaskPatch(title="Buy three"), expected)
        with pytest.raises(PreconditionError, match=message):
            scene.service.delete(OWNER, task.id, expected)
    scene.service.delete(OWNER, task.id, [2])
    with pytest.raises(NotFoundError, match=UNKNOWN):
        scene.service.get(OWNER, task.id)


def test_many_are_changed_and_deleted_in_one_order_and_named_in_the_order_asked_for(scene: Scene) -> None:
    tasks = [scene.service.create(OWNER, TaskCreate(f"Task {number}")) for number in range(3)]
    foreign = scene.service.create(OTHER, TaskCreate("Theirs"))
    asked = [tasks[2].id, UUID(int=999), tasks[0].id, foreign.id, tasks[2].id]
    outcome = BulkOutcome((tasks[2].id, tasks[0].id), (UUID(int=999), foreign.id))
    assert scene.service.change_many(OWNER, asked, lambda task: TaskPatch(title=f"{task.title}!")) == outcome
    assert scene.storage.tasks.locked == sorted(set(asked))
    titles = [task.title for task in scene.storage.tasks.rows.values()]
    assert titles == ["Task 0!", "Task 1", "Task 2!", "Theirs"]
    assert scene.service.delete_many(OWNER, asked) == outcome
    assert scene.events()[-2:] == [("task.deleted", str(tasks[0].id)), ("task.deleted", str(tasks[2].id))]
    assert list(scene.storage.tasks.rows) == [tasks[1].id, foreign.id]


@pytest.mark.parametrize("how", ["delete", "delete_many"])
def test_with_a_task_its_files_go_and_no_other_tasks(scene: Scene, how: str) -> None:
    doomed, kept = (scene.service.create(OWNER, TaskCreate("Buy milk")) for _ in range(2))
    scene.attach(doomed.id, UUID(int=501))
    scene.attach(kept.id, UUID(int=502))
    if how == "delete":
        scene.service.delete(OWNER, doomed.id)
    else:
        scene.service.delete_many(OWNER, [doomed.id])
    assert [row.id for row in scene.storage.attachments.rows] == [UUID(int=502)]
    unlinked = {key: since for key, (_, since) in scene.storage.objects.rows.items()}
    assert unlinked == {UUID(int=501): scene.clock.now, UUID(int=502): None}


def test_deleting_a_task_without_files_unlinks_none(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"))
    monkeypatch.setattr(scene.storage.objects, "unlink", lambda *_: pytest.fail("there is nothing to unlink"))
    scene.service.delete(OWNER, task.id)


def test_a_task_takes_twenty_tags_of_fifty_characters(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk"))
    most = tuple(f"{number:050}" for number in range(20))
    assert scene.service.update(OWNER, task.id, TaskPatch(tags=most)).tags == most
    for tags, message in (
        ((*most, "one more"), "a task has at most 20 tags"),
        (("x" * 51,), "a tag has at most 50 characters"),
    ):
        with pytest.raises(InvalidError, match=f"^{message}$") as raised:
            scene.service.update(OWNER, task.id, TaskPatch(tags=tags))
        assert raised.value.field == "tags"


def test_tags_that_are_older_than_the_rule_may_stay(scene: Scene) -> None:
    task = scene.service.create(OWNER, TaskCreate("Buy milk", tags=("x" * 51,)))
    assert scene.service.update(OWNER, task.id, TaskPatch(tags=("new", "x" * 51))).version == 2


def test_tags_are_listed_with_how_many_tasks_have_each(scene: Scene) -> None:
    for tags in (("home", "shop"), ("home",)):
        scene.service.create(OWNER, TaskCreate("Buy milk", tags=tags))
    scene.service.create(OTHER, TaskCreate("Buy milk", tags=("work",)))
    assert scene.service.tags(OWNER) == [TagCount("home", 2), TagCount("shop", 1)]


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
    with pytest.raises(NotFoundError, match=UNKNOWN):
        scene.service.get(OTHER, task.id)
    with pytest.raises(NotFoundError, match=UNKNOWN):
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
