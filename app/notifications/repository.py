"""Repositories of the notifications service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import case, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from app.core.database.batches import delete_some
from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.database.user_versions import touch
from app.notifications.model import Kind, Notification, Preferences, Recipient
from app.notifications.tables import NotificationRow, PreferencesRow, RecipientRow


class SqlNotifications:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, notification: Notification) -> None:
        self._session.execute(insert(NotificationRow).values(**vars(notification)))

    def get(self, notification_id: UUID) -> Notification | None:
        row = self._session.get(NotificationRow, notification_id)
        return _notification(row) if row else None

    def find(self, user_id: UUID, after: UUID | None, limit: int) -> list[Notification]:
        statement = select(NotificationRow).where(NotificationRow.user_id == user_id)
        if after is not None:
            statement = statement.where(NotificationRow.id < after)
        rows = self._session.scalars(statement.order_by(NotificationRow.id.desc()).limit(limit))
        return [_notification(row) for row in rows]

    def unread(self, user_id: UUID) -> int:
        mine = (NotificationRow.user_id == user_id, NotificationRow.read_at.is_(None))
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
        row = self._session.get(RecipientRow, user_id)
        return Recipient(row.user_id, row.email, row.name, row.verified) if row else None

    def delete(self, user_id: UUID) -> int:
        return changed(self._session.execute(delete(RecipientRow).where(RecipientRow.user_id == user_id)))


class SqlPreferences:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: UUID) -> Preferences:
        row = self._session.get(PreferencesRow, user_id)
        return Preferences(row.reminder_mails, row.weekly_report) if row else Preferences()

    def change(self, user_id: UUID, change: dict[str, bool]) -> None:
        touch(self._session, user_id)
        statement = insert_into(self._session, PreferencesRow).values(
            user_id=user_id, **{**vars(Preferences()), **change}
        )
        self._session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=change))

    def delete(self, user_id: UUID) -> int:
        return changed(self._session.execute(delete(PreferencesRow).where(PreferencesRow.user_id == user_id)))

    def all_after(self, after: UUID | None, limit: int) -> list[tuple[UUID, Preferences]]:
        """Return the preferences of up to `limit` users, ordered by user id, past `after`."""
        statement = select(PreferencesRow).order_by(PreferencesRow.user_id).limit(limit)
        if after is not None:
            statement = statement.where(PreferencesRow.user_id > after)
        rows = self._session.scalars(statement)
        return [(row.user_id, Preferences(row.reminder_mails, row.weekly_report)) for row in rows]


def _notification(row: NotificationRow) -> Notification:
    return Notification(row.id, row.user_id, Kind(row.kind), row.task_id, row.title, row.created_at, row.read_at)
