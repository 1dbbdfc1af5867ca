"""`declare-queues`: declare the queues of events in RabbitMQ, before any service publishes to them."""

import sys

from app.bootstrap.services import chosen
from app.cli import fail
from app.core.errors import UnavailableError
from app.core.settings import SettingsError, load_settings


def declare_queues(service: str) -> int:
    """Declare the exchange of events and the queues of services, as a user who may.

    Args:
        service: one of app.bootstrap.services.CHOICES.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        return fail(str(error), 2)
    if not settings.events_by_broker:
        return fail("APP_EVENTS_URL: missing (or give APP_EVENTS_HOST and its companions)", 2)

    from app.bootstrap.container import build
    from app.core.events.rabbitmq import Broker
    from app.core.events.topology import ServiceQueue, declare

    subscriptions = build(settings, "beat", chosen(service)).background.subscriptions
    queues = [ServiceQueue(name, events) for name, events in subscriptions.items()]
    broker = Broker(settings)
    try:
        with broker.connected() as connection:
            declare(connection, queues)
    except UnavailableError as error:
        return fail(str(error))
    finally:
        broker.close()
    sys.stdout.write("".join(f"{queue.name}: {', '.join(sorted(queue.events))}\n" for queue in queues))
    return 0
