"""Repository of deleted users."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.database.upsert import insert_into
from app.core.events.tables import DeletedUserRow


class SqlDeletedUsers:
    """Deleted users in the database of one service."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, user_id: UUID, at: datetime) -> None:
        statement = insert_into(self._session, DeletedUserRow).values(user_id=user_id, at=at)
        self._session.execute(statement.on_conflict_do_nothing())

    def among(self, user_ids: Collection[UUID]) -> set[UUID]:
        if not user_ids:
            return set()
        found = select(DeletedUserRow.user_id).where(DeletedUserRow.user_id.in_(user_ids))
        return set(self._session.scalars(found))

    def since(self, at: datetime, after: UUID | None, limit: int) -> list[tuple[UUID, datetime]]:
        """Return up to `limit` users deleted at or after a time, ordered by id, from the one after `after`."""
        found = select(DeletedUserRow.user_id, DeletedUserRow.at).where(DeletedUserRow.at >= at)
        if after is not None:
            found = found.where(DeletedUserRow.user_id > after)
        rows = self._session.execute(found.order_by(DeletedUserRow.user_id).limit(limit))
        return [(user_id, deleted_at) for user_id, deleted_at in rows]
