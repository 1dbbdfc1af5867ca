"""Events: what the application publishes fits the contracts, and consumers read events of other releases."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.auth.events import export_requested
from app.bootstrap.background import core_consumers
from app.bootstrap.container import Container
from app.bootstrap.services import SERVICES
from app.core.clock import new_id, utc_now
from app.core.events.contracts import ContractConsumer, reading_schema
from app.core.events.model import Event
from app.core.events.tables import OutboxRow
from app.core.jobs.model import Job
from app.core.sessions.events import ends_requested
from tests.support.api import PASSWORD, Person
from tests.support.background import do_jobs
from tests.support.contracts import event_types, part, violations, with_more
from tests.support.notifications import carry
from tests.support.storage import storage_of

RELEASED = Path(__file__).parents[2] / "data" / "events"
"""Events as former releases have published them: never changed, and one more file for each version of an event."""


def published(container: Container) -> Iterator[Event]:
    with container.database.reader.begin() as connection:
        for row in connection.execute(select(OutboxRow.__table__)):
            yield Event(row.id, row.name, row.user_id, row.at, row.payload, row.traceparent)


def publish_each(person: Person, container: Container) -> None:
    """Do all that events report."""
    user_id = person.call("GET", "/users/me").get_json()["id"]
    person.call("PATCH", "/users/me", json={"name": "Grace"})
    person.call("PATCH", "/notifications/preferences", json={"weekly_report": True})
    task = person.create(title="Milk", due_at="2030-01-01T00:00:00Z", remind_at=datetime.now(UTC).isoformat())
    for change in ({"title": "Bread"}, {"status": "done"}):
        person.call("PATCH", f"/tasks/{task['id']}", json=change)
    gone = person.create()
    person.call("DELETE", f"/tasks/{gone['id']}")
    person.create(remind_at=datetime.now(UTC).isoformat(), due_at=datetime.now(UTC).isoformat())
    person.call("POST", "/tasks/imports", data={"file": (io.BytesIO(b"title\nImported\n"), "tasks.csv")})
    carry(container)
    with storage_of(container).write() as work:
        work.outbox.add(ends_requested(new_id, utc_now()))
        work.outbox.add(export_requested(Job(new_id(), UUID(user_id), "data-export.auth", utc_now()), new_id))
        work.jobs.add(Job(new_id(), None, "snapshot", utc_now()))
        work.jobs.add(Job(new_id(), None, "report", utc_now(), parameters={"user": user_id, "week": "2030-W01"}))
    do_jobs(container)
    assert person.call("DELETE", "/users/me", json={"password": PASSWORD}).status_code == 204


def test_each_event_is_published_as_its_contract_says(person: Person, container: Container) -> None:
    publish_each(person, container)
    events = list(published(container))
    assert {event.name for event in events} == {event.name for event in event_types()}
    assert [problem for event in events for problem in violations(event)] == []


PAYLOAD = {"email": "grace@example.org", "name": "Grace", "verified": True}
GOOD = Event(uuid4(), "user.changed", uuid4(), datetime.now(UTC), PAYLOAD)


@pytest.mark.parametrize(
    "event",
    [
        replace(GOOD, user_id=None),
        replace(GOOD, name="user.renamed"),
        replace(GOOD, payload={}),
        replace(GOOD, payload={**PAYLOAD, "name": None}),
        replace(GOOD, payload={**PAYLOAD, "password": "in no contract"}),
        replace(GOOD, name="task.created", payload={"task_id": "1"}),
    ],
    ids=lambda event: f"{event.name} {event.payload} of {'somebody' if event.user_id else 'nobody'}",
)
def test_an_event_that_breaks_its_contract_is_seen(event: Event) -> None:
    assert list(violations(GOOD)) == []
    assert list(violations(event)) != []


def released() -> list[Path]:
    return sorted(RELEASED.glob("*.json"))


def consumers(container: Container) -> list[tuple[str, ContractConsumer[Any]]]:
    own = [(name, consumer) for name in SERVICES for consumer in container.services[name].every_consumer]
    of_core = core_consumers(container.platform.cache)
    return own + [(name, consumer) for name in SERVICES for consumer in of_core]


def test_there_is_an_event_of_each_type() -> None:
    assert {path.name.split(".json")[0].partition("@")[0] for path in released()} == {
        each.title for each in event_types()
    }


@pytest.mark.parametrize("path", released(), ids=lambda path: path.stem)
@pytest.mark.parametrize("form", ["as it was released", "with more fields", "with what is read alone"])
def test_each_consumer_reads_released_events(container: Container, path: Path, form: str) -> None:
    event = _parsed(path)
    readers = [(name, each) for name, each in consumers(container) if event.name in each.events]
    assert readers
    for service, consumer in readers:
        document = reading_schema(event.name, consumer.reads[event.name])
        payload = {
            "as it was released": event.payload,
            "with more fields": with_more(event.payload),
            "with what is read alone": part(document["properties"]["payload"], event.payload, document),
        }[form]
        with container.services[service].storage.write() as work:
            savepoint = work.session.begin_nested()
            consumer.handle(work, replace(event, payload=payload))
            work.session.flush()
            savepoint.rollback()  # a service that is asked by this event has a database of its own, without these rows


def _parsed(path: Path) -> Event:
    event = json.loads(path.read_text())
    user_id = UUID(event["user_id"]) if event["user_id"] else None
    return Event(UUID(event["id"]), event["name"], user_id, datetime.fromisoformat(event["at"]), event["payload"])
