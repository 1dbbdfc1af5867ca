"""Background work, run synchronously by tests."""

from app.bootstrap.container import Container
from app.core.clock import utc_now
from app.core.events.relay import Relay
from tests.support.storage import storage_of


def carry_events(container: Container) -> None:
    """Relay events until none is pending."""
    relay = Relay(storage_of(container), container.background.transport, utc_now)
    while relay.run_once():
        pass


def do_jobs(container: Container) -> None:
    """Run jobs until none is due."""
    while container.inline.run_once():
        pass
