"""`configure-broker` against RabbitMQ: each service's user may use its own queues and publish its own events alone."""

import secrets
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from amqp import Channel, Message
from amqp.exceptions import AccessRefused, AMQPError, NotAllowed
from kombu import Connection
from pydantic import SecretStr

from app.bootstrap.container import build, sample_settings
from app.bootstrap.services import ALL, SERVICES
from app.cli.configure_broker import configure_broker
from app.cli.ensure_certificate import self_signed
from app.core.clock import new_id, utc_now
from app.core.errors import UnavailableError
from app.core.events.model import Event
from app.core.events.rabbitmq import Broker, RabbitTransport
from app.core.events.topology import EVENTS, ServiceQueue
from app.core.jobs.celery_app import celery_transport
from app.core.settings import Settings
from tests.support.rabbitmq import USER, RabbitMq
from tests.support.settings import make_settings


class Configured:
    """A RabbitMQ that the command has configured."""

    def __init__(self, rabbitmq: RabbitMq, folder: Path) -> None:
        self.rabbitmq = rabbitmq
        self.passwords = {service: secrets.token_urlsafe(12) for service in SERVICES}
        self.folder = folder
        self.administrator = folder / "administrator"
        self.administrator.write_text(rabbitmq.password)

    def run(self, **changed: Any) -> int:
        """Run the command."""
        users = []
        for service, password in self.passwords.items():
            (self.folder / service).write_text(f"{password}\n")
            users.append((service, str(self.folder / service)))
        options = {
            "port": self.rabbitmq.tls_port,
            "management_port": self.rabbitmq.management_port,
            "ca_file": self.rabbitmq.certificate,
            "user": USER,
            "password_file": self.administrator,
            "users": users,
            "vhost": self.rabbitmq.vhost,
        }
        return configure_broker("127.0.0.1", **{**options, **changed})

    def settings(self, service: str) -> Settings:
        """Settings of a process of the service."""
        url = self.rabbitmq.url_of(service, self.passwords[service])
        return make_settings("sqlite:///:memory:", events_url=SecretStr(url), broker_virtual_host=service)

    @contextmanager
    def channel(self, service: str) -> Iterator[Channel]:
        """Yield a channel of the service's user."""
        with Connection(self.rabbitmq.url_of(service, self.passwords[service])) as connection:
            yield connection.connection.channel()


@pytest.fixture
def configured(rabbitmq: RabbitMq, tmp_path: Path) -> Configured:
    made = Configured(rabbitmq, tmp_path)
    assert made.run() == 0
    return made


def test_a_service_publishes_its_events_to_the_queues_of_others(configured: Configured) -> None:
    transport = RabbitTransport(Broker(configured.settings("tasks")), [ServiceQueue("tasks", ["user.deleted"])])
    transport.publish([Event(new_id(), "task.created", new_id(), utc_now())])
    transport.close()
    assert configured.rabbitmq.depth("task-manager.analytics") == 1


def test_a_service_declares_its_queue_again_and_gives_dead_letters_back(configured: Configured) -> None:
    with configured.channel("analytics") as channel:
        queue = ServiceQueue("analytics", ["task.created"])
        queue.declare(channel)
        channel.basic_publish(Message("{}"), queue.dead_letters, "revived")
    assert configured.rabbitmq.depth("task-manager.analytics") == 1


def test_an_older_release_may_bind_and_publish_other_events_of_the_same_kind(configured: Configured) -> None:
    with configured.channel("analytics") as channel:
        channel.queue_bind("task-manager.analytics", EVENTS, "task.archived")
    with configured.channel("tasks") as channel:
        confirmed(channel, EVENTS, "task.archived")
    assert configured.rabbitmq.depth("task-manager.analytics") == 1


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_publishes_every_event_of_its_own_and_binds_to_all_that_it_reads(
    configured: Configured, service: str
) -> None:
    container = build(sample_settings(), services=(service,))
    with configured.channel(service) as channel:
        ServiceQueue(service, container.background.subscriptions[service]).declare(channel)
        for event in container.services[service].every_event:
            confirmed(channel, EVENTS, event.name)


def test_a_process_of_all_services_has_a_user_until_they_have_moved_out_of_it(configured: Configured) -> None:
    configured.passwords[ALL] = "of-all"
    assert configured.run() == 0
    with configured.channel(ALL) as channel:
        for service in SERVICES:
            container = build(sample_settings(), services=(service,))
            ServiceQueue(service, container.background.subscriptions[service]).declare(channel)
            for event in container.services[service].every_event:
                confirmed(channel, EVENTS, event.name)
    with configured.channel(ALL) as channel, pytest.raises(AccessRefused):
        channel.exchange_delete(EVENTS)
    assert ALL in configured.rabbitmq.control("list_users").split()
    del configured.passwords[ALL]
    assert configured.run() == 0
    assert ALL not in configured.rabbitmq.control("list_users").split()


FORBIDDEN: dict[str, Callable[[Channel], Any]] = {
    "read another's queue": lambda channel: channel.basic_get("task-manager.analytics"),
    "read another's dead letters": lambda channel: channel.basic_get("task-manager.analytics.dead-letters"),
    "delete another's queue": lambda channel: channel.queue_delete("task-manager.analytics"),
    "purge another's queue": lambda channel: channel.queue_purge("task-manager.analytics"),
    "make a queue of another name": lambda channel: channel.queue_declare("task-manager.tasks2"),
    "delete the exchange of events": lambda channel: channel.exchange_delete(EVENTS),
    "bind to events of which it reads none": lambda channel: channel.queue_bind(
        "task-manager.tasks", EVENTS, "preferences.changed"
    ),
    "bind to all events": lambda channel: channel.queue_bind("task-manager.tasks", EVENTS, "#"),
    "publish another's event": lambda channel: confirmed(channel, EVENTS, "user.deleted"),
    "end a session": lambda channel: confirmed(channel, EVENTS, "session.ended"),
    "publish to another's queue": lambda channel: confirmed(channel, "", "task-manager.analytics"),
    "publish another's dead letter": lambda channel: confirmed(channel, "task-manager.analytics.dead-letters", "dead"),
}


def confirmed(channel: Channel, exchange: str, key: str) -> None:
    """Publish, and wait for the answer."""
    channel.confirm_select()
    channel.basic_publish_confirm(Message("{}"), exchange, key)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_service_may_not(configured: Configured, what: str) -> None:
    with configured.channel("tasks") as channel, pytest.raises(AccessRefused):
        FORBIDDEN[what](channel)


def test_a_service_may_not_use_the_jobs_of_another(configured: Configured) -> None:
    configured.rabbitmq.vhost = "auth"
    with pytest.raises((NotAllowed, AccessRefused)), configured.channel("tasks"):
        pytest.fail("it was let in")


def test_the_password_of_another_service_is_refused(configured: Configured) -> None:
    configured.passwords["tasks"] = configured.passwords["auth"]
    with pytest.raises(AMQPError), configured.channel("tasks"):
        pytest.fail("it was let in")


def test_background_jobs_use_the_virtual_host_of_their_service(configured: Configured) -> None:
    settings = configured.settings("tasks")
    transport = celery_transport(settings, print, "tasks")
    transport.send(new_id(), left=True)
    assert transport.waiting() == 1
    configured.rabbitmq.vhost = "tasks"
    assert configured.rabbitmq.control("list_queues", "--vhost", "tasks", "name", "type").split()[-2:] == [
        "jobs.tasks",
        "quorum",
    ]


def test_a_second_run_changes_passwords_and_leaves_connections_open(configured: Configured) -> None:
    with configured.channel("tasks") as channel:
        configured.passwords["tasks"] = "another-password"
        assert configured.run() == 0
        channel.basic_get("task-manager.tasks")
    with configured.channel("tasks"):
        pass


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"users": [("tasks", "/nowhere")]}, "password file /nowhere: No such file or directory"),
        ({"users": [("tasks", "/dev/null")]}, "password file /dev/null: is empty"),
        ({"ca_file": Path("/nowhere")}, "--ca-file /nowhere: no such file"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(
    rabbitmq: RabbitMq, tmp_path: Path, changed: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Configured(rabbitmq, tmp_path).run(**changed) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_an_unknown_service_is_refused_in_one_line(configured: Configured, capsys: pytest.CaptureFixture[str]) -> None:
    password = str(configured.folder / "tasks")
    assert configured.run(users=[("tasks", password), ("billing", password)]) == 2
    known = "all, auth, tasks, notifications, analytics"
    assert capsys.readouterr().err == f"error: --service billing: is none of {known}\n"


def test_a_refusal_of_rabbitmq_is_an_error_in_one_line(
    configured: Configured, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.administrator.write_text("wrong")
    assert configured.run() == 1
    assert capsys.readouterr().err == "error: RabbitMQ: PUT users/auth: 401 Unauthorized\n"


def test_a_server_with_another_certificate_is_refused(
    configured: Configured, capsys: pytest.CaptureFixture[str]
) -> None:
    other = configured.folder / "other.crt"
    other.write_bytes(b64decode(self_signed(["127.0.0.1"], utc_now())["tls.crt"]))
    assert configured.run(ca_file=other) == 1
    assert "certificate verify failed" in capsys.readouterr().err


def test_without_its_rights_a_transport_reports_that_the_broker_refuses(configured: Configured) -> None:
    transport = RabbitTransport(Broker(configured.settings("tasks")), [ServiceQueue("auth")])
    with pytest.raises(UnavailableError, match="RabbitMQ: AccessRefused"):
        transport.publish([])
    transport.close()
