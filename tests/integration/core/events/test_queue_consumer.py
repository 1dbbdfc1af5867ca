"""Consumer of a service's queue: every effect once, whatever fails, and nothing lost."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from amqp import Message

from app.core.clock import new_id, utc_now
from app.core.database.engine import connect
from app.core.errors import UnavailableError
from app.core.events.dispatcher import Dispatcher, delivery_counter
from app.core.events.messages import encode
from app.core.events.model import Event
from app.core.events.queue_consumer import HEARTBEAT, PREFETCH, QueueConsumer
from app.core.events.rabbitmq import Broker, RabbitTransport
from app.core.events.topology import EVENTS, ServiceQueue
from app.core.events.transport import InProcessTransport
from app.core.jobs.polling_loop import PollingLoop
from app.core.settings import Settings
from tests.integration.core.events.test_relay import DiedError, Effect, effects, failures
from tests.support.fakes import FakeClock
from tests.support.ports import wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.settings import make_settings
from tests.support.storage import SystemStorage

QUEUE = ServiceQueue("tasks", ("thing.happened",))


@dataclass
class Scene:
    """A queue, and a consumer of it whose effects are rows of a database."""

    settings: Settings
    storage: SystemStorage
    effect: Effect = field(default_factory=Effect)
    delivered: list[int] = field(default_factory=list)
    consumers: list[QueueConsumer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transport = RabbitTransport(Broker(self.settings), [QUEUE])
        dispatcher = Dispatcher(
            self.storage, [self.effect], FakeClock(), attempts=3, first=1, outcomes=delivery_counter()
        )
        self.dispatch: Callable[[Sequence[Event]], None] = InProcessTransport([dispatcher]).publish

    def consumer(self) -> QueueConsumer:
        def deliver(events: Sequence[Event]) -> None:
            self.delivered.append(len(events))
            self.dispatch(events)

        self.consumers.append(QueueConsumer(Broker(self.settings, HEARTBEAT), QUEUE, deliver))
        return self.consumers[-1]

    def publish(self, number: int, first: int = 0) -> list[Event]:
        events = [
            Event(new_id(), "thing.happened", None, utc_now(), {"number": first + each}) for each in range(number)
        ]
        self.transport.publish(events)
        return events

    def consume(self, consumer: QueueConsumer, number: int) -> None:
        """Run a consumer until there are a number of effects."""

        def done() -> bool:
            consumer.run_once()
            return len(effects(self.storage)) >= number

        wait_for(done, f"{number} effects")

    def close(self) -> None:
        for consumer in self.consumers:
            consumer.close()
        self.transport.close()


@pytest.fixture
def scene(broker_settings: Settings, sqlite_url: str) -> Iterator[Scene]:
    made = Scene(broker_settings, SystemStorage(connect(make_settings(sqlite_url))))
    yield made
    made.close()


def empty(rabbitmq: RabbitMq, queue: str = QUEUE.name) -> bool:
    """Tell whether a queue has no message, not even one that a consumer holds."""
    listed = rabbitmq.control("list_queues", f"--vhost={rabbitmq.vhost}", "name", "messages", "--formatter=json")
    return bool({each["name"]: each["messages"] for each in json.loads(listed)}[queue] == 0)


def test_events_have_their_effect_once_and_leave_the_queue(rabbitmq: RabbitMq, scene: Scene) -> None:
    consumer = scene.consumer()
    assert not consumer.run_once()
    scene.publish(3)
    scene.consume(consumer, 3)
    assert effects(scene.storage) == [0, 1, 2]
    assert not consumer.run_once()
    wait_for(lambda: empty(rabbitmq), "the queue is empty")


def test_a_batch_is_bounded_and_handled_together(rabbitmq: RabbitMq, scene: Scene) -> None:
    consumer = scene.consumer()
    consumer.run_once()
    scene.publish(2 * PREFETCH + 10)
    wait_for(consumer.run_once, "the first batch")
    assert rabbitmq.depth(QUEUE.name) >= 10, "the others are for whoever has time"
    scene.consume(consumer, 2 * PREFETCH + 10)
    assert max(scene.delivered) <= PREFETCH
    assert len(scene.delivered) < PREFETCH, "it takes what is there at once"


@pytest.mark.parametrize("copies", [2, 3])
def test_an_event_that_is_published_repeatedly_has_its_effect_once(scene: Scene, copies: int) -> None:
    """One that arrives twice in a batch, too."""
    events = scene.publish(2)
    for _ in range(copies - 1):
        scene.transport.publish(events)
    consumer = scene.consumer()
    scene.consume(consumer, 2)
    while consumer.run_once():
        pass
    assert sum(scene.delivered) == copies * 2
    assert effects(scene.storage) == [0, 1]
    assert failures(scene.storage) == []


def test_a_consumer_that_dies_after_the_commit_leaves_its_events_to_the_next_without_effect(scene: Scene) -> None:
    scene.publish(3)
    dispatch = scene.dispatch

    def dispatch_and_die(events: Sequence[Event]) -> None:
        dispatch(events)
        raise DiedError

    scene.dispatch = dispatch_and_die
    dying = scene.consumer()
    with pytest.raises(DiedError):
        wait_for(lambda: dying.run_once() and False, "it dies")
    dying.close()
    scene.dispatch = dispatch
    scene.publish(1, first=3)
    scene.consume(scene.consumer(), 4)
    assert sum(scene.delivered) > 4, "they were delivered again"
    assert effects(scene.storage) == [0, 1, 2, 3]
    assert failures(scene.storage) == []


def test_events_wait_for_the_database_without_being_given_back(rabbitmq: RabbitMq, scene: Scene) -> None:
    scene.publish(2)
    dispatch, consumer = scene.dispatch, scene.consumer()

    def fail(events: Sequence[Event]) -> None:
        tried.append([event.id for event in events])
        raise UnavailableError("no database")

    tried: list[Any] = []
    scene.dispatch = fail
    wait_for(lambda: not empty(rabbitmq), "the messages are there")
    for _ in range(3):
        with pytest.raises(UnavailableError, match="no database"):
            consumer.run_once()
    assert tried[0] == tried[-1][: len(tried[0])], "it has kept them"
    assert effects(scene.storage) == []
    assert not empty(rabbitmq)
    scene.dispatch = dispatch
    scene.consume(consumer, 2)
    assert effects(scene.storage) == [0, 1]
    assert rabbitmq.depth(QUEUE.dead_letters) == 0


def test_an_event_that_a_consumer_fails_at_is_left_to_the_inbox(rabbitmq: RabbitMq, scene: Scene) -> None:
    first, second = scene.publish(2)
    del first
    scene.effect.fails_at[second.id] = KeyError()
    consumer = scene.consumer()
    scene.consume(consumer, 1)
    while consumer.run_once():
        pass
    assert failures(scene.storage) == [("effect", 1, "KeyError", False)]
    wait_for(lambda: empty(rabbitmq), "the queue is empty")


JUNK = {
    "no JSON": b"\xff\x00junk",
    "no event": b'{"version": 1}',
    "of a later version": encode(Event(uuid4(), "thing.happened", None, utc_now())).replace(b'n":1', b'n":2'),
    "without a subscriber": encode(Event(uuid4(), "other.happened", None, utc_now())),
}


@pytest.mark.parametrize("body", JUNK.values(), ids=JUNK.keys())
def test_a_message_that_cannot_be_read_is_dead_lettered_and_others_go_on(
    rabbitmq: RabbitMq, scene: Scene, body: bytes
) -> None:
    consumer = scene.consumer()
    consumer.run_once()
    with rabbitmq.channel() as channel:
        channel.basic_publish(Message(body, content_encoding="utf-8"), EVENTS, "thing.happened")
        channel.basic_publish(Message(b"", content_type="text/plain"), EVENTS, "thing.happened")
    scene.publish(2)
    scene.consume(consumer, 2)
    wait_for(lambda: rabbitmq.depth(QUEUE.dead_letters) == 2, "both are dead-lettered")
    assert effects(scene.storage) == [0, 1]
    wait_for(lambda: empty(rabbitmq), "the queue is empty")


@pytest.mark.parametrize("how", ["closed", "restarted", "deleted"])
def test_a_consumer_comes_back_after_its_connection_was_lost(rabbitmq: RabbitMq, scene: Scene, how: str) -> None:
    scene.publish(1)
    loop = PollingLoop("consumer", scene.consumer().run_once, 0.1)
    loop.start()
    try:
        wait_for(lambda: effects(scene.storage) == [0], "the first effect")
        if how == "closed":
            scene.transport.close()
            before = scene.consumers[0]._channel
            rabbitmq.control("close_all_connections", "--global", "test")
            wait_for(lambda: scene.consumers[0]._channel is not before, "it has another connection")
        elif how == "restarted":
            rabbitmq.stop()
            rabbitmq.start()
        else:
            rabbitmq.clear()
            wait_for(lambda: declared(rabbitmq), "the queue is declared again")
        wait_for(lambda: published(scene), "the second event is published")
        wait_for(lambda: effects(scene.storage) == [0, 1], "the second effect")
    finally:
        loop.stop(10)
    assert not loop._thread.is_alive()  # type: ignore[union-attr]


def published(scene: Scene) -> bool:
    try:
        scene.publish(1, first=1)
    except UnavailableError:
        return False
    return True


def declared(rabbitmq: RabbitMq) -> bool:
    return QUEUE.name in rabbitmq.control("list_queues", f"--vhost={rabbitmq.vhost}", "name")


def test_a_stopped_consumer_gives_its_messages_back_at_once(scene: Scene) -> None:
    consumer = scene.consumer()
    consumer.run_once()
    loop = PollingLoop("consumer", consumer.run_once, 0.1, consumer.close)
    loop.start()
    scene.publish(1)
    wait_for(lambda: effects(scene.storage) == [0], "the first effect")
    began = time.monotonic()
    loop.stop(10)
    assert time.monotonic() - began < 5
    scene.publish(1, first=1)
    scene.consume(scene.consumer(), 2)


def test_consumers_that_die_often_do_not_dead_letter_what_they_held(rabbitmq: RabbitMq, scene: Scene) -> None:
    scene.publish(2)
    for _ in range(30):
        with rabbitmq.channel() as channel:
            wait_for(lambda channel=channel: channel.basic_get(QUEUE.name) is not None, "the message is back")  # type: ignore[misc]
    scene.consume(scene.consumer(), 2)
    assert effects(scene.storage) == [0, 1]
