"""What goes on beside the requests, when a test says so."""

from app.bootstrap import Container
from app.jobs.relay import Relay
from app.platform.clock import utc_now


def carry_events(container: Container) -> None:
    """Carry events on until none waits."""
    relay = Relay(container.storage, container.deliveries, utc_now)
    while relay.turn():
        pass


def do_jobs(container: Container) -> None:
    """Do jobs until none is due."""
    while container.inline.turn():
        pass
