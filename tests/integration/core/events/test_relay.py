"""Relay and inbox: each event has its effect once for each consumer, despite failures and crashes."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import Counter
from sqlalchemy import select, update

from app.core.clock import new_id
from app.core.database.engine import Database, connect
from app.core.events.dispatcher import Dispatcher, delivery_counter
from app.core.events.model import Event
from app.core.events.relay import BATCH, Relay
from app.core.events.tables import FailedDeliveryRow, HandledEventRow, OutboxRow
from app.core.events.transport import InProcessTransport
from app.core.jobs.background import Cleaner
from app.core.jobs.model import Job
from app.core.jobs.queue_metrics import QueueDepth
from app.core.jobs.tables import JobRow, RefusedLineRow
from app.core.retention_rules import EVENTS
from tests.support.at_once import at_once
from tests.support.fakes import FakeClock
from tests.support.ports import wait_for
from tests.support.retention import RULES
from tests.support.server import server
from tests.support.settings import make_settings
from tests.support.storage import SystemStorage, SystemUnitOfWork

ATTEMPTS = 3


class DiedError(BaseException):
    """Crash of the process, which no error handler catches."""


@dataclass
class Effect:
    """Consumer that writes a row for each event, and can be made to fail on one."""

    name: str = "effect"
    events: Collection[str] = ("thing.happened",)
    fails_at: dict[UUID, BaseException] = field(default_factory=dict)

    def handle(self, work: SystemUnitOfWork, event: Event) -> None:
        line = int(str(event.payload["number"]))
        # the primary key is made of consumer and number: a second effect of an event would violate it
        work.session.add(RefusedLineRow(job_id=UUID(int=len(self.name)), line=line, reason=self.name, text=""))
        work.session.flush()
        if event.id in self.fails_at:
            raise self.fails_at[event.id]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(database: Database) -> SystemStorage:
    return SystemStorage(database)


def add_events(storage: SystemStorage, clock: FakeClock, number: int, name: str = "thing.happened") -> list[UUID]:
    events = [Event(new_id(), name, None, clock(), {"number": each}) for each in range(number)]
    with storage.write() as work:
        for event in events:
            work.outbox.add(event)
    return [event.id for event in events]


def dispatcher(
    storage: SystemStorage, clock: FakeClock, *consumers: Effect, outcomes: Counter | None = None
) -> InProcessTransport:
    counter = outcomes or delivery_counter()
    return InProcessTransport([Dispatcher(storage, consumers, clock, attempts=ATTEMPTS, first=10, outcomes=counter)])


def relay(storage: SystemStorage, clock: FakeClock, *consumers: Effect) -> Relay:
    return Relay(storage, dispatcher(storage, clock, *consumers), clock)


def effects(storage: SystemStorage, consumer: str = "effect") -> list[int]:
    lines = select(RefusedLineRow.line).where(RefusedLineRow.reason == consumer).order_by(RefusedLineRow.line)
    with storage.read() as work:
        return list(work.session.scalars(lines))


def failures(storage: SystemStorage) -> list[tuple[str, int, str, bool]]:
    with storage.read() as work:
        rows = work.session.scalars(select(FailedDeliveryRow)).all()
    return [(row.consumer, row.failures, row.error, row.due_at is None) for row in rows]


def test_each_consumer_gets_its_events_once(storage: SystemStorage, clock: FakeClock) -> None:
    add_events(storage, clock, 3)
    add_events(storage, clock, 2, "other.happened")
    carrying = relay(storage, clock, Effect(), Effect("other", ("other.happened",)))
    assert carrying.run_once()
    assert not carrying.run_once()
    assert effects(storage) == [0, 1, 2]
    assert effects(storage, "other") == [0, 1]


def test_events_are_published_in_order_one_batch_at_a_time(storage: SystemStorage, clock: FakeClock) -> None:
    told = add_events(storage, clock, BATCH + 1)
    carrying = relay(storage, clock, Effect())
    assert carrying.run_once()
    assert effects(storage) == list(range(BATCH))
    with storage.read() as work:
        assert [event.id for event in work.outbox.waiting(10)] == told[BATCH:]


def test_a_repeated_delivery_has_no_effect(storage: SystemStorage, clock: FakeClock) -> None:
    add_events(storage, clock, 2)
    carrying = relay(storage, clock, Effect())
    carrying.run_once()
    with storage.write() as work:
        work.session.execute(update(OutboxRow).values(carried_at=None))
    assert carrying.run_once()
    assert effects(storage) == [0, 1]
    assert failures(storage) == []


class Queueing(Effect):
    """Consumer that queues a job for each event: a second effect would violate no constraint."""

    def handle(self, work: SystemUnitOfWork, event: Event) -> None:
        work.jobs.add(Job(new_id(), None, self.name, event.at))


def test_an_event_that_is_twice_in_a_batch_has_its_effect_once(storage: SystemStorage, clock: FakeClock) -> None:
    event, other = (Event(new_id(), "thing.happened", None, clock()) for _ in range(2))
    dispatcher(storage, clock, Queueing()).publish([event, other, event])
    with storage.read() as work:
        assert len(work.session.scalars(select(JobRow.id)).all()) == 2


def test_a_relay_that_dies_leaves_its_batch_to_the_next_one(storage: SystemStorage, clock: FakeClock) -> None:
    first, second = add_events(storage, clock, 2)
    del first
    with pytest.raises(DiedError):
        relay(storage, clock, Effect(), Effect("dying", fails_at={second: DiedError()})).run_once()
    assert effects(storage) == []
    relay(storage, clock, Effect(), Effect("dying")).run_once()
    assert effects(storage) == effects(storage, "dying") == [0, 1]


def test_a_failure_stops_neither_other_events_nor_other_consumers(storage: SystemStorage, clock: FakeClock) -> None:
    told = add_events(storage, clock, 3)
    relay(storage, clock, Effect("failing", fails_at={told[1]: KeyError("secret")}), Effect()).run_once()
    assert effects(storage, "failing") == [0, 2]
    assert effects(storage) == [0, 1, 2]
    assert failures(storage) == [("failing", 1, "KeyError", False)]


def test_a_failed_delivery_is_retried_later(storage: SystemStorage, clock: FakeClock) -> None:
    [event] = add_events(storage, clock, 1)
    consumer = Effect(fails_at={event: KeyError()})
    brought = dispatcher(storage, clock, consumer)
    Relay(storage, brought, clock).run_once()
    consumer.fails_at.clear()
    assert not brought.run_once(), "it was not due"
    clock.advance(seconds=30)
    assert brought.run_once()
    assert not brought.run_once()
    assert effects(storage) == [0]
    assert failures(storage) == []


def test_a_delivery_that_fails_in_each_attempt_is_dead_lettered(storage: SystemStorage, clock: FakeClock) -> None:
    [event] = add_events(storage, clock, 1)
    brought = dispatcher(storage, clock, Effect(fails_at={event: KeyError("secret")}))
    Relay(storage, brought, clock).run_once()
    for _ in range(5):
        clock.advance(hours=1)
        brought.run_once()
    assert failures(storage) == [("effect", ATTEMPTS, "KeyError", True)]
    assert effects(storage) == []


def test_a_failed_delivery_is_left_to_a_process_that_has_its_consumer(storage: SystemStorage, clock: FakeClock) -> None:
    [event] = add_events(storage, clock, 1)
    relay(storage, clock, Effect("newer", fails_at={event: KeyError()})).run_once()
    clock.advance(hours=1)
    assert not dispatcher(storage, clock, Effect()).run_once()
    assert dispatcher(storage, clock, Effect("newer")).run_once()


def test_concurrent_relays_have_each_effect_once(storage: SystemStorage, clock: FakeClock) -> None:
    add_events(storage, clock, 3 * BATCH)
    at_once(lambda: relay(storage, clock, Effect()).run_once)
    assert effects(storage) == list(range(3 * BATCH))
    assert failures(storage) == []


def test_a_relay_waits_for_no_event_that_another_one_is_marking(postgres_url: str, clock: FakeClock) -> None:
    """Two that wait for each other's rows would deadlock. On SQLite there is one writer at a time."""
    storage = SystemStorage(connect(make_settings(postgres_url, statement_timeout=2)))
    first, _ = add_events(storage, clock, 2)
    with storage.write() as other:
        other.session.scalar(select(OutboxRow.id).where(OutboxRow.id == first).with_for_update())
        assert relay(storage, clock, Effect()).run_once()
    with storage.read() as work:
        assert [event.id for event in work.outbox.waiting(10)] == [first]
    assert relay(storage, clock, Effect()).run_once()
    assert effects(storage) == [0, 1]


def test_published_events_are_deleted_after_a_while(storage: SystemStorage, clock: FakeClock) -> None:
    add_events(storage, clock, 2)
    relay(storage, clock, Effect()).run_once()
    clock.advance(seconds=1)
    waiting = add_events(storage, clock, 1, "late.happened")
    kept = (select(OutboxRow.id), select(HandledEventRow.event_id))

    def left() -> list[int]:
        with storage.read() as work:
            return [len(work.session.scalars(rows).all()) for rows in kept]

    clock.advance(seconds=EVENTS / timedelta(seconds=1) - 1)
    Cleaner(storage, clock, lambda: False, RULES).run_once()
    assert left() == [3, 2]
    clock.advance(seconds=1)
    Cleaner(storage, clock, lambda: False, RULES).run_once()
    assert left() == [1, 0]
    with storage.read() as work:
        assert [event.id for event in work.outbox.waiting(10)] == waiting


def test_metrics_of_unpublished_events_and_failed_deliveries(storage: SystemStorage, clock: FakeClock) -> None:
    [event] = add_events(storage, clock, 1)
    outcomes = delivery_counter()
    brought = dispatcher(storage, clock, Effect(fails_at={event: KeyError()}), outcomes=outcomes)
    Relay(storage, brought, clock).run_once()
    add_events(storage, clock, 2, "other.happened")
    clock.advance(seconds=7)
    measured = {
        (sample.name, *sample.labels.values()): sample.value
        for family in (*QueueDepth(storage, clock).collect(), *outcomes.collect())
        for sample in family.samples
    }
    assert measured["task_manager_events_waiting",] == 2
    assert measured["task_manager_events_oldest_seconds",] == 7
    assert measured["task_manager_events_failed", "effect", "retried"] == 1
    assert measured["task_manager_events_delivered_total", "thing.happened", "effect", "failed"] == 1


def test_the_server_publishes_events_in_the_background(sqlite_url: str, tmp_path: Path) -> None:
    storage = SystemStorage(connect(make_settings(sqlite_url)))
    add_events(storage, FakeClock(), 1)

    def published() -> bool:
        with storage.read() as work:
            return not work.outbox.waiting(1)

    with server(tmp_path, sqlite_url):
        wait_for(published, "the event is published")
