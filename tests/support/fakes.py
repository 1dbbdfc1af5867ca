"""Fakes: a clock that is set, identifiers that count, storage in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.core.events.model import Event
from tests.support.fake_accounts import FakeAudit, FakeDeletedUsers, FakeMails, FakeResets, FakeSessions, FakeUsers
from tests.support.fake_notifications import (
    FakeDeliveries,
    FakeNotifications,
    FakePhones,
    FakePreferences,
    FakeRecipients,
)
from tests.support.fake_tasks import FakeAttachments, FakeIdempotencyKeys, FakeObjects, FakeReminders, FakeTasks


class FakeClock:
    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class Counter:
    """Sequential ids from 1."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> UUID:
        self._last += 1
        return UUID(int=self._last)


@dataclass
class FakeOutbox:
    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        self.events.append(event)


class FakeStorage:
    """All tables in memory, without rollback: no unit test relies on it."""

    def __init__(self) -> None:
        self.users = FakeUsers()
        self.sessions = FakeSessions()
        self.audit = FakeAudit()
        self.resets = FakeResets()
        self.mails = FakeMails()
        self.deleted_users = FakeDeletedUsers()
        self.tasks = FakeTasks()
        self.reminders = FakeReminders()
        self.due_dates = FakeReminders()
        self.attachments = FakeAttachments()
        self.objects = FakeObjects()
        self.notifications = FakeNotifications()
        self.preferences = FakePreferences()
        self.recipients = FakeRecipients()
        self.deliveries = FakeDeliveries()
        self.phones = FakePhones()
        self.outbox = FakeOutbox()
        self.idempotency_keys = FakeIdempotencyKeys()
        self.snapshots = 0
        """Reads that see the data of one moment."""

    @contextmanager
    def read(self) -> "Iterator[FakeStorage]":
        yield self

    @contextmanager
    def read_of(self, user_id: UUID, *, snapshot: bool = False) -> "Iterator[FakeStorage]":
        assert isinstance(user_id, UUID), "nobody's data may be old by any measure"
        self.snapshots += snapshot
        yield self

    @contextmanager
    def write(self) -> "Iterator[FakeStorage]":
        yield self
