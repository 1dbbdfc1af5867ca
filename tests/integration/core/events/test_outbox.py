"""Transactional outbox: an event is stored if and only if its change is."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.core.database.engine import Database
from app.core.events.model import Event
from app.core.events.tables import OutboxRow
from tests.support.storage import SystemStorage


def waiting(database: Database) -> list[tuple[str, dict[str, object]]]:
    with database.reader.begin() as connection:
        return [(row.name, row.payload) for row in connection.execute(select(OutboxRow.name, OutboxRow.payload))]


def test_an_event_is_in_the_outbox_once_its_transaction_has_committed(database: Database) -> None:
    event = Event(uuid4(), "thing.happened", uuid4(), datetime.now(UTC), {"number": 1})
    with SystemStorage(database).write() as work:
        work.outbox.add(event)
    assert waiting(database) == [("thing.happened", {"number": 1})]


def test_no_event_is_in_the_outbox_when_its_transaction_fails(database: Database) -> None:
    def fail() -> None:
        with SystemStorage(database).write() as work:
            work.outbox.add(Event(uuid4(), "thing.happened", None, datetime.now(UTC)))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert waiting(database) == []
