"""Inbox: handled events and failed deliveries, by consumer."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.orm import Session

from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.events.model import USER_DELETED, Event
from app.core.events.tables import FailedDeliveryRow, HandledEventRow
from app.core.jobs.model import DeadLetter


class SqlInbox:
    """Inbox in the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record_handled(self, consumer: str, event_ids: Sequence[UUID], now: datetime) -> set[UUID]:
        """Record events as handled by a consumer; return those that it had not handled before.

        Of two transactions with the same event and consumer, the second waits until the first one ends.
        """
        rows = [{"consumer": consumer, "event_id": event_id, "at": now} for event_id in event_ids]
        statement = insert_into(self._session, HandledEventRow).values(rows).on_conflict_do_nothing()
        return set(self._session.scalars(statement.returning(HandledEventRow.event_id)))

    def record_failure(self, consumer: str, event: Event, error: str, due_at: datetime | None) -> None:
        """Record a failed delivery, due for a retry at `due_at`; None for a dead letter."""
        values = {**vars(event), "event_id": event.id, "consumer": consumer, "error": error, "due_at": due_at}
        del values["id"]
        statement = insert_into(self._session, FailedDeliveryRow).values(**values, failures=1)
        changes = {"failures": FailedDeliveryRow.failures + 1, "error": error, "due_at": due_at}
        self._session.execute(statement.on_conflict_do_update(index_elements=["consumer", "event_id"], set_=changes))

    def any_due(self, consumers: Collection[str], now: datetime) -> bool:
        """Return whether a failed delivery to one of these consumers is due for a retry."""
        due = select(FailedDeliveryRow.event_id).where(_due(consumers, now))
        return bool(self._session.scalar(select(due.exists())))

    def claim_failed(self, consumers: Collection[str], now: datetime, limit: int) -> list[tuple[str, Event, int]]:
        """Lock and return failed deliveries to these consumers that are due: consumer, event, and number of failures.

        They remain in the table until `settle`. Rows that another transaction has locked are skipped.
        """
        due = select(FailedDeliveryRow).where(_due(consumers, now))
        statement = due.order_by(FailedDeliveryRow.due_at).limit(limit)
        rows = self._session.scalars(statement.with_for_update(skip_locked=True))
        return [
            (
                row.consumer,
                Event(row.event_id, row.name, row.user_id, row.at, row.payload, row.traceparent),
                row.failures,
            )
            for row in rows
        ]

    def settle(self, consumer: str, event_id: UUID) -> None:
        """Delete a failed delivery: a retry has handled it, or its user is deleted."""
        mine = (FailedDeliveryRow.consumer == consumer, FailedDeliveryRow.event_id == event_id)
        self._session.execute(delete(FailedDeliveryRow).where(*mine))

    def dead_letters(self, consumer: str | None, limit: int) -> list[DeadLetter]:
        """Return up to `limit` dead-lettered deliveries, to a consumer or to all, the latest events first."""
        statement = select(FailedDeliveryRow).where(*_dead(consumer)).order_by(FailedDeliveryRow.at.desc()).limit(limit)
        return [
            DeadLetter("event", row.event_id, row.consumer, row.failures, row.at, row.error)
            for row in self._session.scalars(statement)
        ]

    def requeue(self, event_ids: Collection[UUID] | None, consumer: str | None, now: datetime) -> set[UUID]:
        """Requeue dead-lettered deliveries with all their attempts; return the ids of their events.

        Args:
            event_ids: ids of events; None for any.
            consumer: name of a consumer; None for any.
        """
        chosen = () if event_ids is None else (FailedDeliveryRow.event_id.in_(event_ids),)
        requeued = update(FailedDeliveryRow).where(*_dead(consumer), *chosen).values(due_at=now, failures=0)
        requeued = requeued.returning(FailedDeliveryRow.event_id).execution_options(synchronize_session=False)
        return set(self._session.scalars(requeued))

    def failures(self) -> dict[tuple[str, bool], int]:
        """Return the number of failed deliveries, by consumer and whether they are dead letters."""
        key = (FailedDeliveryRow.consumer, FailedDeliveryRow.due_at.is_(None))
        counted = select(*key, func.count()).group_by(*key)
        return {(consumer, bool(dead)): number for consumer, dead, number in self._session.execute(counted)}

    def delete_of(self, user_id: UUID) -> int:
        """Delete failed deliveries of a user's events except `user.deleted`; return the number deleted."""
        theirs = (FailedDeliveryRow.user_id == user_id, FailedDeliveryRow.name != USER_DELETED)
        return changed(self._session.execute(delete(FailedDeliveryRow).where(*theirs)))


def _dead(consumer: str | None) -> tuple[ColumnElement[bool], ...]:
    dead = FailedDeliveryRow.due_at.is_(None)
    return (dead,) if consumer is None else (dead, FailedDeliveryRow.consumer == consumer)


def _due(consumers: Collection[str], now: datetime) -> ColumnElement[bool]:
    return and_(FailedDeliveryRow.consumer.in_(consumers), FailedDeliveryRow.due_at <= now)
