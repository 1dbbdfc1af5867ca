"""Transactional outbox: events wait beside the change that they report."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.orm import Session

from app.core.events.model import Event
from app.core.events.tables import OutboxRow

ADD = insert(cast("Table", OutboxRow.__table__))


class SqlOutbox:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, event: Event) -> None:
        self._session.execute(ADD, vars(event))

    def add_many(self, events: Sequence[Event]) -> None:
        """Add events by one statement."""
        if events:
            self._session.execute(ADD, [vars(event) for event in events])

    def claim(self, limit: int) -> list[Event]:
        """Return the oldest events that wait, except those that another transaction has claimed and holds."""
        statement = select(OutboxRow).where(OutboxRow.carried_at.is_(None)).order_by(OutboxRow.id).limit(limit)
        rows = self._session.scalars(statement.with_for_update(skip_locked=True))
        return [Event(row.id, row.name, row.user_id, row.at, row.payload, row.traceparent) for row in rows]

    def carried(self, event_ids: Sequence[UUID], now: datetime) -> None:
        """Note that events have been carried on."""
        self._session.execute(update(OutboxRow).where(OutboxRow.id.in_(event_ids)).values(carried_at=now))

    def waiting(self) -> tuple[int, datetime | None]:
        """Return how many events wait, and the time of the oldest."""
        waiting = select(func.count(), func.min(OutboxRow.at)).where(OutboxRow.carried_at.is_(None))
        number, oldest = self._session.execute(waiting).one()
        return number, oldest

    def any_waiting(self) -> bool:
        """Tell whether an event waits."""
        return bool(self._session.scalar(select(select(OutboxRow.id).where(OutboxRow.carried_at.is_(None)).exists())))
