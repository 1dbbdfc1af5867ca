"""Delivery of notifications by e-mail."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.core.mail import Mail, Mailer, RefusedError
from app.notifications.email_templates import mail_of
from app.notifications.model import Channel, Notification
from app.notifications.ports import DeliveryRefusedError, NotificationWork

UNVERIFIED = "address not verified"


class EmailTransport:
    """Sends mails; one that is repeated has the same Message-ID.

    Args:
        mailer: sends.
        public_url: base URL of the front end.
    """

    channel = Channel.EMAIL
    repeatable = True

    def __init__(self, mailer: Mailer, public_url: str) -> None:
        self._mailer = mailer
        self._public_url = public_url

    def prepare(
        self, work: NotificationWork, notification: Notification, parameters: Mapping[str, str], *, last: bool
    ) -> Mail | str:
        recipient = work.recipients.get(notification.user_id)
        if recipient is None or not recipient.verified:
            return UNVERIFIED
        unsubscribe = f"{self._public_url}/#/profile"
        return mail_of(notification, recipient, parameters, url=self._public_url, unsubscribe=unsubscribe, last=last)

    def suspend(self, work: NotificationWork, message: Mail, reason: str, now: datetime) -> None:
        pass

    def send(self, message: Mail, notification_id: UUID) -> None:
        try:
            self._mailer.send(message, notification_id)
        except RefusedError as error:
            raise DeliveryRefusedError(str(error)) from error
