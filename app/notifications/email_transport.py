"""Delivery of notifications by e-mail."""

from collections.abc import Callable, Mapping
from uuid import UUID

from app.core.mail import Mail, Mailer, RefusedError
from app.notifications.email_templates import mail_of
from app.notifications.model import Channel, Kind, Notification
from app.notifications.ports import DeliveryRefusedError, NotificationWork

REFUSED = "refused by the mailbox's server"
UNVERIFIED = "address not verified"


class EmailTransport:
    """Sends mails; one that is repeated has the same Message-ID.

    Args:
        mailer: sends.
        public_url: base URL of the front end.
        unsubscribe_url: returns the URL that unsubscribes a user from the mails of a kind.
    """

    channel = Channel.EMAIL
    repeatable = True

    def __init__(self, mailer: Mailer, public_url: str, unsubscribe_url: Callable[[UUID, Kind], str]) -> None:
        self._mailer = mailer
        self._public_url = public_url
        self._unsubscribe_url = unsubscribe_url

    def prepare(
        self, work: NotificationWork, notification: Notification, parameters: Mapping[str, str], *, last: bool
    ) -> Mail | str:
        recipient = work.recipients.get(notification.user_id)
        if recipient is None or not recipient.verified:
            return UNVERIFIED
        if recipient.suspended:
            return recipient.suspended
        unsubscribe = self._unsubscribe_url(notification.user_id, notification.kind)
        return mail_of(notification, recipient, parameters, url=self._public_url, unsubscribe=unsubscribe, last=last)

    def suspend(self, work: NotificationWork, message: Mail, reason: str) -> None:
        work.recipients.suspend(message.to, reason)

    def send(self, message: Mail, notification_id: UUID) -> None:
        try:
            self._mailer.send(message, notification_id)
        except RefusedError as error:
            raise DeliveryRefusedError(REFUSED if error.mailbox else str(error), address=error.mailbox) from error
