"""Events and mails, processed synchronously instead of by the background threads."""

from datetime import UTC, datetime

from app.bootstrap.container import Container
from app.core.clock import new_id, utc_now
from app.core.events.relay import Relay
from app.tasks.reminders import OverdueService, ReminderService
from tests.support.api import Person
from tests.support.storage import storage_of


def carry(container: Container) -> None:
    """Publish due reminders and overdue tasks, dispatch all events to their consumers, and send all mails."""
    relay = Relay(storage_of(container), container.background.transport, utc_now)
    for turn in (
        ReminderService(storage_of(container), utc_now, new_id).run_once,
        OverdueService(storage_of(container), utc_now, new_id).run_once,
        relay.run_once,
        container.inline.run_short_jobs,
    ):
        while turn():
            pass


def remind_of(container: Container, person: Person, title: str = "A task") -> str:
    """Remind a user of a new task; return the id of the notification."""
    person.create(title=title, remind_at=datetime.now(UTC).isoformat())
    carry(container)
    newest = person.call("GET", "/notifications").get_json()["items"][0]
    return str(newest["id"])
