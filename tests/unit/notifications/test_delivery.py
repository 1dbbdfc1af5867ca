"""Delivery of a notification by one channel: once, in its time, within the limit, and never silently lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from uuid import UUID

import pytest

from app.core.errors import UnavailableError
from app.core.jobs.model import DeferredError, Job, PermanentError
from app.notifications.delivery_job import OVER_THE_LIMIT, UNWANTED, DeliverNotification
from app.notifications.fan_out import notify
from app.notifications.model import Channel, DeliveryState, Kind, Notification, Recipient
from app.notifications.ports import DeliveryRefusedError, DeliveryUnknownError, NotificationWork
from app.notifications.quiet_hours import QuietHours
from tests.support.fakes import FakeClock, FakeStorage

OWNER = UUID(int=1001)
LIMIT = 3


class DiedError(BaseException):
    """Not caught by any error handler, like the death of the process."""


@dataclass
class FakeTransport:
    """Sends into a list, or fails."""

    repeatable: bool = False
    error: BaseException | None = None
    channel: Channel = Channel.SMS
    sent: list[tuple[str, UUID]] = field(default_factory=list)
    suspended: list[str] = field(default_factory=list)
    absent: str | None = None

    def prepare(
        self, work: NotificationWork, notification: Notification, parameters: Mapping[str, str], *, last: bool
    ) -> list[str] | str:
        del work, parameters
        return self.absent or [f"{notification.title}{' (last)' if last else ''}"]

    def suspend(self, work: NotificationWork, message: list[str], reason: str) -> None:
        del work, message
        self.suspended.append(reason)

    def send(self, message: list[str], notification_id: UUID) -> str:
        self.sent.append((message[0], notification_id))
        if self.error:
            raise self.error
        return "SM1"


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage()
        self.transport = FakeTransport()
        self.storage.recipients.rows[OWNER] = Recipient(OWNER, "g@example.org", "Grace", verified=True)
        self.choose({Channel.SMS: True})

    def choose(self, channels: dict[Channel, bool]) -> None:
        self.storage.preferences.change(OWNER, {}, {Kind.OVERDUE: channels})

    def happen(self, number: int = 1) -> Job:
        """Let a task be overdue; return the job of its SMS."""
        notification = Notification(UUID(int=number), OWNER, Kind.OVERDUE, None, f"Milk {number}", self.clock())
        notify(self.storage, notification)
        return Job(UUID(int=number), None, "x", self.clock(), parameters={"notification_id": str(notification.id)})

    def run(self, job: Job) -> None:
        DeliverNotification(self.storage, self.transport, self.clock, LIMIT).run(job)

    def state(self, number: int = 1) -> tuple[DeliveryState, str | None]:
        row = self.storage.deliveries.rows[UUID(int=number), Channel.SMS]
        return row.state, row.reason

    def listed(self) -> list[int]:
        return [row.id.int for row in self.storage.notifications.find(OWNER, None, 10)]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_delivery_is_sent_once_however_often_its_job_runs(scene: Scene) -> None:
    job = scene.happen()
    for _ in range(3):
        scene.run(job)
    assert scene.transport.sent == [("Milk 1", UUID(int=1))]
    assert scene.state() == (DeliveryState.SENT, None)


def test_one_that_is_no_longer_wanted_is_dropped(scene: Scene) -> None:
    job = scene.happen()
    scene.choose({Channel.SMS: False})
    scene.run(job)
    assert scene.transport.sent == []
    assert scene.state() == (DeliveryState.DROPPED, UNWANTED)


def test_a_dead_worker_leaves_it_unknown_where_a_repetition_would_arrive_twice(scene: Scene) -> None:
    scene.choose({Channel.IN_APP: False})
    job = scene.happen()
    scene.transport.error = DiedError()
    with pytest.raises(DiedError):
        scene.run(job)
    assert scene.state() == (DeliveryState.SENDING, None)
    scene.transport.error = None
    scene.run(job)
    scene.run(job)
    assert len(scene.transport.sent) == 1
    assert scene.state()[0] is DeliveryState.UNKNOWN
    assert scene.listed() == [1], "left to the app"


def test_a_dead_worker_lets_it_be_repeated_where_the_recipient_recognises_it(scene: Scene) -> None:
    job = scene.happen()
    scene.transport.repeatable, scene.transport.error = True, DiedError()
    with pytest.raises(DiedError):
        scene.run(job)
    scene.transport.error = None
    scene.run(job)
    assert scene.transport.sent == [("Milk 1", UUID(int=1))] * 2
    assert scene.state() == (DeliveryState.SENT, None)


def test_what_was_certainly_not_sent_is_tried_again(scene: Scene) -> None:
    job = scene.happen()
    scene.transport.error = UnavailableError("away")
    with pytest.raises(UnavailableError):
        scene.run(job)
    assert scene.state() == (DeliveryState.WAITING, None)
    scene.transport.error = None
    scene.run(job)
    assert scene.state() == (DeliveryState.SENT, None)


def test_what_may_have_been_sent_is_not_tried_again(scene: Scene) -> None:
    job = scene.happen()
    scene.transport.error = DeliveryUnknownError("no answer")
    scene.run(job)
    scene.run(job)
    assert len(scene.transport.sent) == 1
    assert scene.state() == (DeliveryState.UNKNOWN, "no answer")


def test_a_refused_address_gets_nothing_more(scene: Scene) -> None:
    scene.choose({Channel.IN_APP: False})
    job = scene.happen()
    scene.transport.error = DeliveryRefusedError("opted out", address=True)
    scene.run(job)
    assert scene.transport.suspended == ["opted out"]
    assert scene.state() == (DeliveryState.FAILED, "opted out")
    assert scene.listed() == [1]


def test_another_refusal_is_a_dead_letter_that_can_be_requeued(scene: Scene) -> None:
    job = scene.happen()
    scene.transport.error = DeliveryRefusedError("no credit")
    with pytest.raises(PermanentError, match="no credit"):
        scene.run(job)
    assert scene.transport.suspended == []
    assert scene.state() == (DeliveryState.FAILED, "no credit")
    scene.transport.error = None
    scene.run(job)
    assert scene.state() == (DeliveryState.SENT, None)


def test_it_waits_for_the_end_of_the_quiet_hours_and_the_app_does_not(scene: Scene) -> None:
    hours = QuietHours(time(22), time(7))
    scene.storage.preferences.change(OWNER, {"quiet_hours": hours, "time_zone": "Europe/Berlin"}, {})
    job = scene.happen()  # at midnight UTC
    with pytest.raises(DeferredError) as deferred:
        scene.run(job)
    assert scene.listed() == [1]
    assert scene.transport.sent == []
    scene.clock.now = deferred.value.until
    scene.run(job)
    assert deferred.value.until.hour == 6
    assert len(scene.transport.sent) == 1


def test_what_is_above_the_limit_of_a_day_is_left_to_the_app(scene: Scene) -> None:
    scene.choose({Channel.IN_APP: False})
    for number in range(1, LIMIT + 2):
        scene.run(scene.happen(number))
    assert [text for text, _ in scene.transport.sent] == ["Milk 1", "Milk 2", "Milk 3 (last)"]
    assert scene.state(LIMIT + 1) == (DeliveryState.DROPPED, OVER_THE_LIMIT)
    assert scene.listed() == [LIMIT + 1]
    scene.clock.advance(days=1)
    scene.run(scene.happen(9))
    assert scene.state(9) == (DeliveryState.SENT, None)


def test_the_last_of_a_day_is_repeated_after_a_crash(scene: Scene) -> None:
    scene.transport.repeatable = True
    for number in range(1, LIMIT):
        scene.run(scene.happen(number))
    job = scene.happen(LIMIT)
    scene.transport.error = DiedError()
    with pytest.raises(DiedError):
        scene.run(job)
    scene.transport.error = None
    scene.run(job)
    assert scene.transport.sent[-2:] == [("Milk 3 (last)", UUID(int=LIMIT))] * 2


def test_what_was_not_sent_does_not_count(scene: Scene) -> None:
    scene.transport.error = DeliveryRefusedError("opted out", address=True)
    for number in range(1, LIMIT + 1):
        scene.run(scene.happen(number))
    scene.transport.error = None
    scene.run(scene.happen(9))
    assert scene.state(9) == (DeliveryState.SENT, None)


def test_without_an_address_it_is_left_to_the_app(scene: Scene) -> None:
    scene.choose({Channel.IN_APP: False})
    scene.transport.absent = "no number"
    scene.run(scene.happen())
    assert scene.state() == (DeliveryState.DROPPED, "no number")
    assert scene.listed() == [1]


def test_a_notification_that_nobody_wants_is_not_stored(scene: Scene) -> None:
    scene.choose(dict.fromkeys(Channel, False))
    scene.happen()
    assert scene.storage.notifications.rows == {}
    assert scene.storage.deliveries.rows == {}


def test_a_deleted_users_job_does_nothing(scene: Scene) -> None:
    job = scene.happen()
    scene.storage.notifications.rows.clear()
    scene.run(job)
    assert scene.transport.sent == []
