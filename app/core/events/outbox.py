"""Transactional outbox: events are stored in the transaction of the change that they report."""

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
    """Outbox in the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, event: Event) -> None:
        self._session.execute(ADD, vars(event))

    def add_many(self, events: Sequence[Event]) -> None:
        """Add events in one statement."""
        if events:
            self._session.execute(ADD, [vars(event) for event in events])

    def waiting(self, limit: int) -> list[Event]:
        """Return up to `limit` unpublished events, the oldest first."""
        statement = select(OutboxRow).where(OutboxRow.carried_at.is_(None)).order_by(OutboxRow.id).limit(limit)
        rows = self._session.scalars(statement)
        return [Event(row.id, row.name, row.user_id, row.at, row.payload, row.traceparent) for row in rows]

    def mark_published(self, event_ids: Sequence[UUID], now: datetime) -> None:
        """Mark events as published, except those that a concurrent relay is marking."""
        # Rows locked by one statement have no order among transactions: waiting for them could deadlock.
        free = select(OutboxRow.id).where(OutboxRow.id.in_(event_ids)).with_for_update(skip_locked=True)
        marked = update(OutboxRow).where(OutboxRow.id.in_(free)).values(carried_at=now)
        self._session.execute(marked.execution_options(synchronize_session=False))

    def backlog(self) -> tuple[int, datetime | None]:
        """Return the number of unpublished events, and the time of the oldest."""
        waiting = select(func.count(), func.min(OutboxRow.at)).where(OutboxRow.carried_at.is_(None))
        number, oldest = self._session.execute(waiting).one()
        return number, oldest
