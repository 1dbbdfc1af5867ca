"""Repositories of notifications and their recipients."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from app.core.database.batches import delete_some
from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.database.user_versions import touch
from app.core.text import normalise_email
from app.notifications.model import Kind, Notification, Recipient
from app.notifications.tables import NotificationRow, RecipientRow

NO_TASK = UUID(int=0)
"""Stored as the task of a notification that is about none: the former release needs one in each row."""


class SqlNotifications:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, notification: Notification) -> None:
        values = {
            **vars(notification),
            "task_id": notification.task_id or NO_TASK,
            "kind": Kind.REMINDER,
            "event_kind": notification.kind,
        }
        self._session.execute(insert(NotificationRow).values(**values))

    def get(self, notification_id: UUID) -> Notification | None:
        row = self._session.get(NotificationRow, notification_id)
        return _notification(row) if row else None

    def find(
        self, user_id: UUID, after: UUID | None, limit: int, kinds: Collection[Kind] = tuple(Kind)
    ) -> list[Notification]:
        statement = select(NotificationRow).where(*_listed(user_id, kinds))
        if after is not None:
            statement = statement.where(NotificationRow.id < after)
        rows = self._session.scalars(statement.order_by(NotificationRow.id.desc()).limit(limit))
        return [_notification(row) for row in rows]

    def unread(self, user_id: UUID, kinds: Collection[Kind] = tuple(Kind)) -> int:
        mine = (*_listed(user_id, kinds), NotificationRow.read_at.is_(None))
        return self._session.scalar(select(func.count()).select_from(NotificationRow).where(*mine)) or 0

    def mark_read(self, user_id: UUID, notification_id: UUID, now: datetime) -> bool:
        touch(self._session, user_id)
        mine = (NotificationRow.user_id == user_id, NotificationRow.id == notification_id)
        read = update(NotificationRow).where(*mine).values(read_at=func.coalesce(NotificationRow.read_at, now))
        return self._session.scalar(read.returning(NotificationRow.id)) is not None

    def mark_all_read(self, user_id: UUID, now: datetime) -> None:
        touch(self._session, user_id)
        mine = (NotificationRow.user_id == user_id, NotificationRow.read_at.is_(None))
        self._session.execute(update(NotificationRow).where(*mine).values(read_at=now))

    def show(self, notification_id: UUID) -> None:
        hidden = (NotificationRow.id == notification_id, NotificationRow.in_app.is_(False))
        shown = update(NotificationRow).where(*hidden).values(in_app=True).returning(NotificationRow.user_id)
        if user_id := self._session.scalar(shown):
            touch(self._session, user_id)

    def all_of(self, user_id: UUID, after: UUID | None, limit: int) -> list[Notification]:
        """Return up to `limit` notifications of a user, listed or not, newest first, older than `after`."""
        statement = select(NotificationRow).where(NotificationRow.user_id == user_id)
        if after is not None:
            statement = statement.where(NotificationRow.id < after)
        rows = self._session.scalars(statement.order_by(NotificationRow.id.desc()).limit(limit))
        return [_notification(row) for row in rows]

    def delete_of(self, user_id: UUID, limit: int) -> int:
        return delete_some(self._session, NotificationRow, limit, NotificationRow.user_id == user_id)


class SqlRecipients:
    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, recipient: Recipient, at: datetime) -> None:
        values = {"email": recipient.email, "name": recipient.name, "at": at, "verified": recipient.verified}
        statement = insert_into(self._session, RecipientRow).values(user_id=recipient.user_id, **values)
        later = RecipientRow.at <= at
        same = RecipientRow.email == recipient.email
        changes: dict[str, object] = {
            name: case((later, value), else_=getattr(RecipientRow, name)) for name, value in values.items()
        }
        changes["verified"] = case(
            (same, or_(RecipientRow.verified, literal(recipient.verified))), else_=changes["verified"]
        )
        self._session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=changes))

    def get(self, user_id: UUID) -> Recipient | None:
        return _recipient(self._session.get(RecipientRow, user_id))

    def lock(self, user_id: UUID) -> Recipient | None:
        return _recipient(self._session.get(RecipientRow, user_id, with_for_update=True))

    def suspend(self, email: str, reason: str) -> bool:
        address = normalise_email(email)
        values = {"suspended_email": address, "suspended_reason": reason}
        whose = update(RecipientRow).where(RecipientRow.email == address).values(**values)
        user_ids = list(self._session.scalars(whose.returning(RecipientRow.user_id)))
        for user_id in user_ids:
            touch(self._session, user_id)
        return bool(user_ids)

    def resume(self, user_id: UUID) -> None:
        touch(self._session, user_id)
        mine = update(RecipientRow).where(RecipientRow.user_id == user_id)
        self._session.execute(mine.values(suspended_email=None, suspended_reason=None))

    def delete(self, user_id: UUID) -> int:
        return changed(self._session.execute(delete(RecipientRow).where(RecipientRow.user_id == user_id)))


def _listed(user_id: UUID, kinds: Collection[Kind]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a user's notifications that the app lists."""
    # A later release may have stored further kinds. Of an expression over both columns PostgreSQL has no statistics:
    # it takes such rows for rare, and reads all of the user's.
    former = and_(NotificationRow.event_kind.is_(None), NotificationRow.kind.in_(kinds))
    of_kind = or_(former, NotificationRow.event_kind.in_(kinds))
    return NotificationRow.user_id == user_id, NotificationRow.in_app.is_(True), of_kind


def _notification(row: NotificationRow) -> Notification:
    return Notification(
        row.id,
        row.user_id,
        Kind(row.event_kind or row.kind),
        None if row.task_id == NO_TASK else row.task_id,
        row.title,
        row.created_at,
        row.read_at,
        row.in_app,
    )


def _recipient(row: RecipientRow | None) -> Recipient | None:
    if row is None:
        return None
    # Of another address than today's, it does not count.
    suspended = row.suspended_reason if row.suspended_email == row.email else None
    return Recipient(row.user_id, row.email, row.name, row.verified, suspended)
