"""Transport over RabbitMQ: an event is published once all its queues have it, and else stays in the outbox."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from amqp import Channel, Connection
from pydantic import SecretStr

from app.core.clock import new_id, utc_now
from app.core.database.engine import connect
from app.core.errors import UnavailableError
from app.core.events.messages import decode
from app.core.events.model import Event
from app.core.events.rabbitmq import Broker, RabbitTransport
from app.core.events.relay import Relay
from app.core.events.topology import EVENTS, ServiceQueue, declare
from app.core.settings import Settings
from tests.support.ports import free_port, wait_for
from tests.support.rabbitmq import RabbitMq
from tests.support.settings import make_settings
from tests.support.storage import SystemStorage

TASKS = ServiceQueue("tasks", ("person.deleted",))
ANALYTICS = ServiceQueue("analytics", ("thing.created", "thing.deleted", "person.deleted"))
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def storage(sqlite_url: str) -> SystemStorage:
    return SystemStorage(connect(make_settings(sqlite_url)))


@pytest.fixture
def transport(broker_settings: Settings) -> Iterator[RabbitTransport]:
    made = RabbitTransport(Broker(broker_settings), (TASKS, ANALYTICS))
    yield made
    made.close()


@pytest.fixture
def add(storage: SystemStorage) -> Callable[..., list[Event]]:
    """Puts events into the outbox."""

    def add(*names: str) -> list[Event]:
        events = [Event(new_id(), name, new_id(), utc_now(), {"title": "Ä"}, TRACEPARENT) for name in names]
        with storage.write() as work:
            work.outbox.add_many(events)
        return events

    return add


def waiting(storage: SystemStorage) -> list[Event]:
    with storage.read() as work:
        return work.outbox.waiting(1000)


def received(rabbitmq: RabbitMq, queue: ServiceQueue, number: int) -> list[Event]:
    """Take a number of messages off a queue, and see that it holds no more."""
    wait_for(lambda: rabbitmq.depth(queue.name) >= number, f"{queue.name} has its messages")
    events = []
    with rabbitmq.channel() as channel:
        while message := channel.basic_get(queue.name, no_ack=True):
            assert message.properties["delivery_mode"] == 2, "it would not survive the server"
            assert message.properties["message_id"] == str(decode(message.body).id)
            events.append(decode(message.body, (message.headers or {}).get("traceparent")))
    return events


def test_each_queue_gets_what_its_service_subscribes_to_once_and_in_order(
    rabbitmq: RabbitMq, storage: SystemStorage, transport: RabbitTransport, add: Callable[..., list[Event]]
) -> None:
    created, user_deleted, deleted = add("thing.created", "person.deleted", "thing.deleted")
    relay = Relay(storage, transport, utc_now)
    assert relay.run_once()
    assert not relay.run_once()
    assert received(rabbitmq, ANALYTICS, 3) == [created, user_deleted, deleted]
    assert received(rabbitmq, TASKS, 1) == [user_deleted]


def test_an_event_that_no_queue_takes_stays_in_the_outbox(
    storage: SystemStorage, transport: RabbitTransport, add: Callable[..., list[Event]]
) -> None:
    events = add("thing.created", "paper.ready")
    with pytest.raises(UnavailableError, match=r"not taken paper\.ready \(there is no queue for it\)"):
        Relay(storage, transport, utc_now).run_once()
    assert waiting(storage) == events


def test_an_event_that_a_queue_refuses_stays_in_the_outbox(
    rabbitmq: RabbitMq, storage: SystemStorage, transport: RabbitTransport, add: Callable[..., list[Event]]
) -> None:
    with rabbitmq.channel() as channel:
        declare(channel.connection, [ANALYTICS])
        full = {"x-max-length": 1, "x-overflow": "reject-publish"}
        channel.queue_declare("full", durable=True, exclusive=True, arguments=full)
        channel.queue_bind("full", EVENTS, "thing.created")
        events = add("thing.created", "thing.created", "thing.created")
        with pytest.raises(UnavailableError, match="it was refused"):
            Relay(storage, transport, utc_now).run_once()
    assert waiting(storage) == events
    assert Relay(storage, transport, utc_now).run_once()
    assert waiting(storage) == []


@pytest.mark.parametrize("published", [1, 3])
def test_what_was_not_confirmed_when_the_server_closed_the_connection_is_published_again(
    rabbitmq: RabbitMq,
    storage: SystemStorage,
    transport: RabbitTransport,
    add: Callable[..., list[Event]],
    monkeypatch: pytest.MonkeyPatch,
    published: int,
) -> None:
    events = add("thing.created", "thing.deleted", "thing.created")
    publish = Channel.basic_publish

    def publish_and_lose(channel: Any, *arguments: Any, **options: Any) -> None:
        publish(channel, *arguments, **options)
        sent.append(arguments)
        if len(sent) == published:
            closing.start()
            read = channel.connection.sock.recv
            wait_for(lambda: b"CONNECTION_FORCED" in read(1 << 16, socket.MSG_PEEK), "the server closes it")
            channel.events["basic_ack"].clear()  # confirms that have arrived meanwhile are lost as well

    sent: list[object] = []
    closing = Thread(target=rabbitmq.control, args=("close_all_connections", "--global", "test"))
    with monkeypatch.context() as changed:
        changed.setattr(Channel, "basic_publish", publish_and_lose)
        with pytest.raises(UnavailableError, match="RabbitMQ: ConnectionForced"):
            Relay(storage, transport, utc_now).run_once()
    closing.join()
    assert waiting(storage) == events
    assert Relay(storage, transport, utc_now).run_once()
    assert received(rabbitmq, ANALYTICS, published + 3)[-3:] == events


def test_the_outbox_keeps_events_while_the_server_is_away_and_the_server_keeps_them_over_a_restart(
    rabbitmq: RabbitMq, storage: SystemStorage, transport: RabbitTransport, add: Callable[..., list[Event]]
) -> None:
    before = add("thing.created")
    assert Relay(storage, transport, utc_now).run_once()
    rabbitmq.stop()
    try:
        meanwhile = add("thing.created", "thing.deleted")
        with pytest.raises(UnavailableError, match="RabbitMQ: "):
            Relay(storage, transport, utc_now).run_once()
        assert waiting(storage) == meanwhile
    finally:
        rabbitmq.start()
    assert Relay(storage, transport, utc_now).run_once()
    assert received(rabbitmq, ANALYTICS, 3) == before + meanwhile


def test_a_frozen_server_blocks_nobody_for_ever(
    rabbitmq: RabbitMq,
    storage: SystemStorage,
    transport: RabbitTransport,
    add: Callable[..., list[Event]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.core.events.rabbitmq.TIMEOUT", 1)
    add("thing.created")
    relay = Relay(storage, transport, utc_now)
    assert relay.run_once()
    [event] = add("thing.deleted")
    with rabbitmq.frozen(), pytest.raises(UnavailableError, match="RabbitMQ: "):
        relay.run_once()
    assert waiting(storage) == [event]
    wait_for(lambda: published(relay), "it goes on")
    assert waiting(storage) == []


def published(relay: Relay) -> bool:
    try:
        return relay.run_once()
    except UnavailableError:
        return False


def test_a_service_s_user_needs_rights_for_its_own_queues_alone(rabbitmq: RabbitMq, broker_settings: Settings) -> None:
    with rabbitmq.channel() as channel:
        declare(channel.connection, [ANALYTICS])
    own = r"task-manager\.tasks(\.dead-letters)?"
    rabbitmq.control("add_user", "tester", "a password")
    used = rf"^(task-manager\.events|{own})$"
    rabbitmq.control("set_permissions", f"--vhost={rabbitmq.vhost}", "tester", f"^{own}$", used, used)
    settings = broker_settings.model_copy(update={"events_url": SecretStr(rabbitmq.url_of("tester", "a%20password"))})
    event = Event(new_id(), "thing.created", None, utc_now())
    transport = RabbitTransport(Broker(settings), [TASKS])
    transport.publish([event])
    transport.close()
    broker = Broker(settings)
    for forbidden in (_get, _bind, _redeclare):
        with pytest.raises(UnavailableError, match="RabbitMQ: AccessRefused"), broker.connected() as connection:
            forbidden(connection)
    broker.close()
    assert received(rabbitmq, ANALYTICS, 1) == [event]


def _get(connection: Connection) -> None:
    connection.channel().basic_get(ANALYTICS.name)


def _bind(connection: Connection) -> None:
    connection.channel().queue_bind(ANALYTICS.name, EVENTS, "#")


def _redeclare(connection: Connection) -> None:
    connection.channel().exchange_delete(EVENTS)


def test_by_tls_the_server_is_verified(rabbitmq: RabbitMq, broker_settings: Settings) -> None:
    event = Event(new_id(), "person.deleted", None, utc_now())
    tls = broker_settings.model_copy(update={"events_url": SecretStr(rabbitmq.tls_url)})
    trusting = tls.model_copy(update={"events_ca_file": rabbitmq.certificate})
    elsewhere = SecretStr(rabbitmq.tls_url.replace("127.0.0.1", "localhost"))
    transport = RabbitTransport(Broker(trusting), [TASKS])
    transport.publish([event])
    transport.close()
    assert received(rabbitmq, TASKS, 1) == [event]
    for refused in (tls, trusting.model_copy(update={"events_url": elsewhere})):
        with pytest.raises(UnavailableError, match=r"^RabbitMQ: SSLCertVerificationError$"):
            RabbitTransport(Broker(refused), [TASKS]).publish([event])


def test_a_wrong_password_is_reported_without_it(rabbitmq: RabbitMq, broker_settings: Settings) -> None:
    settings = broker_settings.model_copy(update={"events_url": SecretStr(rabbitmq.url_of("tests", "hunter2"))})
    with pytest.raises(UnavailableError, match=r"^RabbitMQ: AccessRefused$"):
        RabbitTransport(Broker(settings), [TASKS]).publish([Event(new_id(), "person.deleted", None, utc_now())])


def test_a_server_that_is_not_there_is_reported(tmp_path: Path) -> None:
    url = SecretStr(f"amqp://somebody:hunter2@127.0.0.1:{free_port()}/")
    settings = make_settings(f"sqlite:///{tmp_path}/none", events_url=url)
    with pytest.raises(UnavailableError, match=r"^RabbitMQ: ConnectionRefusedError$"):
        RabbitTransport(Broker(settings), [TASKS]).publish([Event(new_id(), "person.deleted", None, utc_now())])


def test_a_renewed_certificate_is_taken_up_by_the_server_without_a_restart(rabbitmq: RabbitMq) -> None:
    trusting = make_settings(
        "sqlite:///:memory:", events_url=SecretStr(rabbitmq.tls_url), events_ca_file=rabbitmq.certificate
    )
    with Broker(trusting).connected() as former:
        rabbitmq.renew_certificate()

        def is_served() -> bool:
            try:
                with Broker(trusting).connected() as connection:
                    return bool(connection.connected)
            except UnavailableError:
                return False

        wait_for(is_served, "the server shows the new certificate", 30)
        former.channel().close()
