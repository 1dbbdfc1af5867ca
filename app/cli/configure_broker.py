"""`configure-broker`: make the users of services in RabbitMQ, with their permissions, and the queues of events.

Idempotent. Each run gives users the passwords of the files, so a rotated one takes effect with the next run;
connections that are open stay so.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.bootstrap.services import SERVICES
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
            virtual host for its background jobs, where it may do everything.
        vhost: virtual host of events.

    Returns:
        The exit status.
    """
    try:
        passwords = {service: _password(Path(file)) for service, file in users}
        administrator = _password(password_file)
    except ValueError as error:
        return fail(str(error), 2)
    if unknown := sorted(passwords.keys() - set(SERVICES)):
        return fail(f"--service {unknown[0]}: is none of {', '.join(SERVICES)}", 2)
    if not ca_file.is_file():
        return fail(f"--ca-file {ca_file}: no such file", 2)
    management = Management(host, management_port, user, administrator, ca_file)
    try:
        queues = [_configure(management, service, password, vhost) for service, password in passwords.items()]
        login = f"{quote(user, safe='')}:{quote(administrator, safe='')}"
        _declare(f"amqps://{login}@{host}:{port}/{quote(vhost, safe='')}", ca_file, queues)
    except ManagementError as error:
        return fail(str(error))
    sys.stdout.write("".join(f"{queue.service}: user, permissions and queues are in order\n" for queue in queues))
    return 0


def _password(file: Path) -> str:
    try:
        password = file.read_text().strip()
    except OSError as error:
        raise ValueError(f"password file {file}: {error.strerror}") from None
    if not password:
        raise ValueError(f"password file {file}: is empty")
    return password


def _configure(management: Management, service: str, password: str, vhost: str) -> "ServiceQueue":
    """Make a service's user, permissions and virtual host; return its queue, which is not made yet."""
    from app.bootstrap.container import build, sample_settings
    from app.core.events.permissions import permissions
    from app.core.events.topology import EVENTS, ServiceQueue

    container = build(sample_settings(), services=(service,))
    subscribed = container.background.subscriptions[service]
    published = [event.name for event in container.services[service].every_event]
    needed = permissions(service, published, subscribed)
    management.put(("users", service), {"password": password, "tags": ""})
    names = {"configure": needed.configure, "write": needed.write, "read": needed.read}
    topics = {"exchange": EVENTS, "write": needed.topics_written, "read": needed.topics_read}
    # First the routing keys: without a rule for them a user may use all.
    management.put(("topic-permissions", vhost, service), topics)
    management.put(("permissions", vhost, service), names)
    management.put(("vhosts", service), {"default_queue_type": "quorum"})
    management.put(("permissions", service, service), dict.fromkeys(names, ".*"))
    return ServiceQueue(service, subscribed)


def _declare(url: str, ca_file: Path, queues: "Sequence[ServiceQueue]") -> None:
    from kombu import Connection

    from app.core.events.rabbitmq import ERRORS, TIMEOUT, tls_options
    from app.core.events.topology import declare

    try:
        with Connection(url, ssl=tls_options(url, ca_file) or False, connect_timeout=TIMEOUT) as connection:
            declare(connection.connection, queues)
    except ERRORS as error:
        raise ManagementError(f"RabbitMQ: the queues are not declared: {type(error).__name__}") from error
