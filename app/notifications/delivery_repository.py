"""Repository of deliveries."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, literal, select, tuple_, update
from sqlalchemy.orm import Session

from app.core.database.batches import delete_some
from app.core.database.upsert import insert_into
from app.notifications.model import Channel, Delivery, DeliveryState, Kind
from app.notifications.tables import DeliveryRow

SPENT = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
"""States of what was, or may have been, sent."""


class SqlDeliveries:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, delivery: Delivery) -> None:
        statement = insert_into(self._session, DeliveryRow).values(**vars(delivery))
        self._session.execute(statement.on_conflict_do_nothing(index_elements=["notification_id", "channel"]))

    def lock(self, delivery: Delivery) -> Delivery:
        self.add(delivery)
        key = (delivery.notification_id, delivery.channel)
        row = self._session.get_one(DeliveryRow, key, with_for_update=True, populate_existing=True)
        return _delivery(row)

    def settle(
        self,
        notification_id: UUID,
        channel: Channel,
        state: DeliveryState,
        now: datetime,
        reason: str | None = None,
        provider_id: str | None = None,
    ) -> None:
        mine = (DeliveryRow.notification_id == notification_id, DeliveryRow.channel == channel)
        values = {"state": state, "decided_at": now, "reason": reason, "provider_id": provider_id}
        self._session.execute(
            update(DeliveryRow).where(*mine).values(**values).execution_options(synchronize_session=False)
        )

    def sent_since(self, user_id: UUID, channel: Channel, since: datetime) -> int:
        mine = (DeliveryRow.user_id == user_id, DeliveryRow.channel == channel, DeliveryRow.decided_at > since)
        count = select(func.count()).select_from(DeliveryRow).where(*mine, DeliveryRow.state.in_(SPENT))
        return self._session.scalar(count) or 0

    def counts(self, since: datetime) -> dict[tuple[str, str], int]:
        """Return the number of deliveries decided since a time, by channel and state."""
        group = (DeliveryRow.channel, DeliveryRow.state)
        counted = select(*group, func.count()).where(DeliveryRow.decided_at > since).group_by(*group)
        return {(channel, state): number for channel, state, number in self._session.execute(counted)}

    def of_user(self, user_id: UUID, after: tuple[UUID, str] | None, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries of a user, ordered by notification and channel, past `after`."""
        place = (DeliveryRow.notification_id, DeliveryRow.channel)
        statement = select(DeliveryRow).where(DeliveryRow.user_id == user_id)
        if after is not None:
            last = (literal(value, column.type) for value, column in zip(after, place, strict=True))
            statement = statement.where(tuple_(*place) > tuple_(*last))
        return [_delivery(row) for row in self._session.scalars(statement.order_by(*place).limit(limit))]

    def delete_of(self, user_id: UUID, limit: int) -> int:
        return delete_some(self._session, DeliveryRow, limit, DeliveryRow.user_id == user_id)


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        row.notification_id,
        Channel(row.channel),
        row.user_id,
        Kind(row.kind),
        row.created_at,
        DeliveryState(row.state),
        row.reason,
        row.decided_at,
    )
