"""The mails of the notifications service."""

from collections.abc import Mapping
from uuid import UUID

from app.platform.mail import Mail
from app.services.notifications.ports import NotificationStorage

REMINDER_MAIL = "reminder"
"""The kind of mail that reminds of a task."""

TEXT = """\
Hello {name},

you wanted to be reminded of this:

{title}

Your tasks: {url}/#/tasks
No more such mails, please: {url}/#/profile
"""


class ReminderLetters:
    """
    Args:
        public_url: where people reach the front end.
    """

    def __init__(self, storage: NotificationStorage, public_url: str) -> None:
        self._storage = storage
        self._public_url = public_url

    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Write the mail, unless its user is not known or has said meanwhile that they want none."""
        with self._storage.read() as work:
            notification = work.notifications.get(UUID(parameters["notification_id"]))
            recipient = work.recipients.get(notification.user_id) if notification else None
            if notification is None or recipient is None:
                return None
            if not work.preferences.get(recipient.user_id).reminder_mails:
                return None
        text = TEXT.format(name=recipient.name, title=notification.title, url=self._public_url)
        return Mail(recipient.email, f"Reminder: {notification.title}", text)
