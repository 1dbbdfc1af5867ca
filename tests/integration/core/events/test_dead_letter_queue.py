"""Dead letters of a service's queue: listed with their reason, and given back on request."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from amqp import Message

from app.core.clock import new_id, utc_now
from app.core.events.messages import encode
from app.core.events.model import Event
from app.core.events.queue_consumer import HEARTBEAT, QueueConsumer
from app.core.events.rabbitmq import Broker
from app.core.events.topology import EVENTS, ServiceQueue
from app.core.settings import Settings
from tests.support.ports import wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.server import environment

QUEUE = ServiceQueue("notifications", ("task.reminder_due",))
NEWER = ServiceQueue("notifications", ("task.reminder_due", "task.archived"))
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Command = Callable[..., tuple[int, str, str]]


def consume(settings: Settings, queue: ServiceQueue) -> list[Event]:
    """Let a service consume its queue until nothing comes, and return what it was given."""
    events: list[Event] = []
    consumer = QueueConsumer(Broker(settings, HEARTBEAT), queue, events.extend)
    while consumer.run_once():
        pass
    consumer.close()
    return events


@pytest.fixture
def event() -> Event:
    """An event that a service of the next release subscribes to."""
    return Event(new_id(), "task.archived", uuid4(), utc_now(), {"title": "Ä"}, TRACEPARENT)


@pytest.fixture
def dead(rabbitmq: RabbitMq, broker_settings: Settings, event: Event) -> None:
    """A queue with two dead letters: the event and junk."""
    consume(broker_settings, NEWER)
    with rabbitmq.channel() as channel:
        headers = {"traceparent": TRACEPARENT}
        channel.basic_publish(Message(encode(event), application_headers=headers), EVENTS, event.name)
        channel.basic_publish(Message(b"hunter2"), EVENTS, event.name)
    wait_for(lambda: rabbitmq.depth(QUEUE.name) == 2, "the messages are there")
    assert consume(broker_settings, QUEUE) == []
    wait_for(lambda: rabbitmq.depth(QUEUE.dead_letters) == 2, "they are dead-lettered")


@pytest.fixture
def command(
    rabbitmq: RabbitMq,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Runs the command; returns exit status, stdout and stderr."""
    for name, value in environment(tmp_path, sqlite_url, 8000, APP_EVENTS_URL=rabbitmq.url).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        from app.__main__ import main

        status = main(["dead-letters", *arguments])
        return status, *capsys.readouterr()

    return run


@pytest.mark.usefixtures("dead")
def test_they_are_listed_with_their_reason_and_without_their_content(
    rabbitmq: RabbitMq, command: Command, event: Event
) -> None:
    for _ in range(25):  # more often than RabbitMQ would deliver a message by itself
        status, shown, _ = command("list", "--json")
        wait_for(lambda: rabbitmq.depth(QUEUE.dead_letters) == 2, "they are back")
    assert status == 0
    letters = {letter["error"]: letter for letter in json.loads(shown)}
    assert set(letters) == {"no consumer of task.archived", "body: json_invalid"}
    assert letters["no consumer of task.archived"]["id"] == str(event.id)
    for letter in letters.values():
        assert (letter["what"], letter["kind"], letter["tries"]) == ("message", QUEUE.name, 1)
        assert letter["at"].startswith(str(utc_now().year))
    assert "hunter2" not in shown


@pytest.mark.usefixtures("dead")
def test_one_that_is_given_back_reaches_a_release_that_knows_it(
    rabbitmq: RabbitMq, command: Command, broker_settings: Settings, event: Event
) -> None:
    assert command("revive", str(event.id)) == (0, "revived: 1\n", "")
    assert consume(broker_settings, NEWER) == [event]
    wait_for(lambda: rabbitmq.depth(QUEUE.dead_letters) == 1, "the other one stays")
    assert command("revive", "--kind", QUEUE.name, "--service", "notifications") == (0, "revived: 1\n", "")
    assert consume(broker_settings, NEWER) == []
    wait_for(lambda: rabbitmq.depth(QUEUE.dead_letters) == 1, "junk stays junk")


@pytest.mark.usefixtures("dead")
def test_none_is_given_back_when_one_identifier_is_wrong(rabbitmq: RabbitMq, command: Command, event: Event) -> None:
    wrong = UUID(int=7)
    assert command("revive", str(event.id), str(wrong)) == (1, "", f"error: no dead letter: {wrong}\n")
    wait_for(lambda: rabbitmq.depth(QUEUE.dead_letters) == 2, "both are back")
    assert rabbitmq.depth(QUEUE.name) == 0


def test_queues_of_services_that_have_never_run_are_empty(command: Command) -> None:
    assert command("list") == (0, "no dead letters\n", "")
    assert command("revive", str(UUID(int=7))) == (1, "", f"error: no dead letter: {UUID(int=7)}\n")


def test_a_broker_that_is_away_is_reported_in_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_EVENTS_URL", "amqp://somebody:hunter2@127.0.0.1:1/")
    assert command("list") == (1, "", "error: RabbitMQ: ConnectionRefusedError\n")
