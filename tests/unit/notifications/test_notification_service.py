"""The rules of notifications and preferences, on stand-ins."""

from uuid import UUID, uuid4

import pytest

from app.core.errors import NotFoundError
from app.notifications.model import Kind, Notification, Preferences
from app.notifications.service import NotificationService
from tests.support.fakes import FakeClock, FakeStorage

OWNER, OTHER = UUID(int=1001), UUID(int=1002)


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage()
        self.service = NotificationService(self.storage, self.clock, uuid4)

    def notify(self, user_id: UUID, number: int) -> Notification:
        told = Notification(UUID(int=number), user_id, Kind.REMINDER, UUID(int=501), "Buy milk", self.clock())
        self.storage.notifications.add(told)
        return told

    def read_at(self) -> dict[int, object]:
        return {row.id.int: row.read_at for row in self.storage.notifications.rows.values()}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_page_comes_with_how_many_are_unread_in_all_as_of_one_moment(scene: Scene) -> None:
    told = [scene.notify(OWNER, number) for number in range(3)]
    scene.notify(OTHER, 9)
    assert scene.service.find(OWNER, None, 2) == ([told[2], told[1]], 3)
    assert scene.service.find(OWNER, told[1].id, 2) == ([told[0]], 3)
    assert scene.storage.snapshots == 2


def test_one_that_is_read_is_read_as_of_now_and_no_other(scene: Scene) -> None:
    scene.notify(OWNER, 1)
    scene.notify(OWNER, 2)
    scene.clock.advance(minutes=1)
    scene.service.mark_read(OWNER, UUID(int=1))
    assert scene.read_at() == {1: scene.clock.now, 2: None}


def test_nobody_reads_for_somebody_else(scene: Scene) -> None:
    scene.notify(OTHER, 1)
    for number in (1, 7):
        with pytest.raises(NotFoundError, match=r"^There is no such notification\.$"):
            scene.service.mark_read(OWNER, UUID(int=number))
    scene.service.mark_all_read(OWNER)
    assert scene.read_at() == {1: None}


def test_all_are_read_at_once(scene: Scene) -> None:
    scene.notify(OWNER, 1)
    scene.notify(OWNER, 2)
    scene.clock.advance(minutes=1)
    scene.service.mark_all_read(OWNER)
    assert scene.read_at() == {1: scene.clock.now, 2: scene.clock.now}


def test_preferences_change_by_what_is_named_and_are_ones_own(scene: Scene) -> None:
    assert scene.service.preferences(OWNER) == Preferences()
    changed = scene.service.prefer(OWNER, {"reminder_mails": False})
    assert changed == Preferences(reminder_mails=False, weekly_report=False)
    assert scene.service.prefer(OWNER, {"weekly_report": True}) == Preferences(False, True)
    assert scene.service.preferences(OWNER) == Preferences(False, True)
    assert scene.service.preferences(OTHER) == Preferences()


def test_a_change_of_preferences_is_published_as_they_are_then(scene: Scene) -> None:
    scene.service.prefer(OWNER, {"reminder_mails": False})
    scene.clock.advance(minutes=1)
    scene.service.prefer(OWNER, {"weekly_report": True})
    events = [(event.name, event.user_id, event.payload) for event in scene.storage.outbox.events]
    assert events == [
        ("preferences.changed", OWNER, {"reminder_mails": False, "weekly_report": False, "report_wanted": False}),
        ("preferences.changed", OWNER, {"reminder_mails": False, "weekly_report": True, "report_wanted": True}),
    ]
    assert scene.storage.outbox.events[-1].at == scene.clock.now


def test_a_change_of_no_preference_stores_nothing(scene: Scene) -> None:
    assert scene.service.prefer(OWNER, {}) == Preferences()
    assert scene.storage.preferences.rows == {}
    assert scene.storage.outbox.events == []
