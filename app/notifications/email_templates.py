"""E-mail templates of the notifications service."""

import base64
from collections.abc import Mapping
from uuid import UUID

from app.core.database.retries import retried
from app.core.mail import Attachment, Mail
from app.notifications.ports import NotificationStorage

REMINDER_MAIL = "reminder"
"""The kind of mail that reminds of a task."""

REPORT_MAIL = "report-mail"
"""The kind of mail that tells what came of a week."""

TEXT = """\
Hello {name},

you wanted to be reminded of this:

{title}

Your tasks: {url}/#/tasks
No more such mails, please: {url}/#/profile
"""

REPORT_TEXT = """\
Hello {name},

in week {week} you created {created} and completed {completed} tasks.

The whole report is attached, and here: {url}/#/statistics
No more such mails, please: {url}/#/profile
"""


class ReminderEmail:
    """
    Args:
        public_url: where people reach the front end.
    """

    def __init__(self, storage: NotificationStorage, public_url: str) -> None:
        self._storage = storage
        self._public_url = public_url

    @retried
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Write the mail, unless the address is not verified or its owner wants none any more."""
        with self._storage.read() as work:
            notification = work.notifications.get(UUID(parameters["notification_id"]))
            recipient = work.recipients.get(notification.user_id) if notification else None
            if notification is None or recipient is None or not recipient.verified:
                return None
            if not work.preferences.get(recipient.user_id).reminder_mails:
                return None
        text = TEXT.format(name=recipient.name, title=notification.title, url=self._public_url)
        return Mail(recipient.email, f"Reminder: {notification.title}", text)


class ReportEmail:
    """
    Args:
        public_url: where people reach the front end.
    """

    def __init__(self, storage: NotificationStorage, public_url: str) -> None:
        self._storage = storage
        self._public_url = public_url

    @retried
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Write the mail, unless the address is not verified or its owner wants none any more."""
        user_id = UUID(parameters["user_id"])
        with self._storage.read() as work:
            recipient = work.recipients.get(user_id)
            if recipient is None or not recipient.verified or not work.preferences.get(user_id).weekly_report:
                return None
        text = REPORT_TEXT.format(name=recipient.name, url=self._public_url, **parameters)
        week = parameters["week"]
        pdf = Attachment(f"week-{week}.pdf", base64.b64decode(parameters["pdf"]))
        return Mail(recipient.email, f"Your week {week}", text, [pdf])
