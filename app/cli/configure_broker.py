"""`configure-broker`: make the users of services in RabbitMQ, with their permissions, and the queues of events.

Idempotent. Each run gives users the passwords of the files, so a rotated one takes effect with the next run;
connections that are open stay so.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.bootstrap.services import ALL, CHOICES, chosen
from app.cli import fail
from app.cli.rabbitmq_management import Management, ManagementError

if TYPE_CHECKING:
    from app.core.events.topology import ServiceQueue

EVENTS_VHOST = "/"
"""Virtual host of events."""


def configure_broker(
    host: str,
    port: int,
    management_port: int,
    ca_file: Path,
    user: str,
    password_file: Path,
    users: Sequence[tuple[str, str]],
    vhost: str = EVENTS_VHOST,
) -> int:
    """Configure RabbitMQ for services.

    Args:
        host, port: where RabbitMQ listens for AMQP by TLS.
        management_port: where its management API listens, by TLS.
        ca_file: certificates that the server's is verified by.
        user, password_file: an administrator, and the file with the password.
        users: services and files with their passwords. The user's name is the service's, and so is the name of a
            virtual host for its background jobs, where it may do everything. `all` is the user of a process of all
            services, out of which they move; without a password there is none.
        vhost: virtual host of events.

    Returns:
        The exit status.
    """
    try:
        passwords = {service: _password(Path(file)) for service, file in users}
        administrator = _password(password_file)
    except ValueError as error:
        return fail(str(error), 2)
    if unknown := sorted(passwords.keys() - set(CHOICES)):
        return fail(f"--service {unknown[0]}: is none of {', '.join(CHOICES)}", 2)
    if not ca_file.is_file():
        return fail(f"--ca-file {ca_file}: no such file", 2)
    management = Management(host, management_port, user, administrator, ca_file)
    try:
        queues = [
            queue for user, password in passwords.items() for queue in _configure(management, user, password, vhost)
        ]
        if ALL not in passwords:
            management.delete(("users", ALL))
        login = f"{quote(user, safe='')}:{quote(administrator, safe='')}"
        _declare(f"amqps://{login}@{host}:{port}/{quote(vhost, safe='')}", ca_file, queues)
    except ManagementError as error:
        return fail(str(error))
    sys.stdout.write("".join(f"{user}: user, permissions and queues are in order\n" for user in passwords))
    return 0


def _password(file: Path) -> str:
    try:
        password = file.read_text().strip()
    except OSError as error:
        raise ValueError(f"password file {file}: {error.strerror}") from None
    if not password:
        raise ValueError(f"password file {file}: is empty")
    return password


def _configure(management: Management, user: str, password: str, vhost: str) -> "list[ServiceQueue]":
    """Make a user, its permissions and its virtual host; return the queues of its services, which are not made yet."""
    from app.bootstrap.container import build, sample_settings
    from app.core.events.permissions import permissions
    from app.core.events.topology import EVENTS, ServiceQueue

    queues, published = [], []
    for service in chosen(user):
        container = build(sample_settings(), services=(service,))
        queues.append(ServiceQueue(service, container.background.subscriptions[service]))
        published += [event.name for event in container.services[service].every_event]
    subscribed = {event for queue in queues for event in queue.events}
    needed = permissions([queue.service for queue in queues], published, subscribed)
    management.put(("users", user), {"password": password, "tags": ""})
    names = {"configure": needed.configure, "write": needed.write, "read": needed.read}
    topics = {"exchange": EVENTS, "write": needed.topics_written, "read": needed.topics_read}
    # First the routing keys: without a rule for them a user may use all.
    management.put(("topic-permissions", vhost, user), topics)
    management.put(("permissions", vhost, user), names)
    if user != ALL:  # whose jobs have another broker
        management.put(("vhosts", user), {"default_queue_type": "quorum"})
        management.put(("permissions", user, user), dict.fromkeys(names, ".*"))
    return queues


def _declare(url: str, ca_file: Path, queues: "Sequence[ServiceQueue]") -> None:
    from kombu import Connection

    from app.core.events.rabbitmq import ERRORS, TIMEOUT, tls_options
    from app.core.events.topology import declare

    try:
        with Connection(url, ssl=tls_options(url, ca_file) or False, connect_timeout=TIMEOUT) as connection:
            declare(connection.connection, queues)
    except ERRORS as error:
        raise ManagementError(f"RabbitMQ: the queues are not declared: {type(error).__name__}") from error
