"""Unit of work of the notifications service."""

from sqlalchemy.orm import Session

from app.core.database.unit_of_work import UnitOfWork
from app.notifications.delivery_repository import SqlDeliveries
from app.notifications.phone_repository import SqlPhones
from app.notifications.preferences_repository import SqlPreferences
from app.notifications.repository import SqlNotifications, SqlRecipients


class NotificationUnitOfWork(UnitOfWork):
    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.notifications = SqlNotifications(session)
        self.recipients = SqlRecipients(session)
        self.preferences = SqlPreferences(session)
        self.phones = SqlPhones(session)
        self.deliveries = SqlDeliveries(session)
