"""Background work, run synchronously by a test."""

from app.bootstrap.container import Container
from app.core.clock import utc_now
from app.core.events.relay import Relay
from tests.support.storage import storage_of


def dispatch_events(container: Container) -> None:
    """Publish and dispatch events until none waits."""
    relay = Relay(storage_of(container), container.background.transport, utc_now)
    while relay.run_once():
        pass


def do_jobs(container: Container) -> None:
    """Run jobs until none is due."""
    while container.inline.run_once():
        pass
