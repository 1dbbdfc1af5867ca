"""E-mail templates of the notifications service."""

import base64
from collections.abc import Mapping
from uuid import UUID

from app.core.database.retries import retried
from app.core.mail import Attachment, Mail
from app.notifications.ports import NotificationStorage

REMINDER_MAIL = "reminder"
"""Kind of the reminder mail."""

REPORT_MAIL = "report-mail"
"""Kind of the mail with the weekly report."""

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
    """Mail of a due reminder.

    Args:
        public_url: base URL of the front end.
    """

    def __init__(self, storage: NotificationStorage, public_url: str) -> None:
        self._storage = storage
        self._public_url = public_url

    @retried
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Render the mail; None if the address is not verified or the user has unsubscribed."""
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
    """Mail with the weekly report as a PDF.

    Args:
        public_url: base URL of the front end.
    """

    def __init__(self, storage: NotificationStorage, public_url: str) -> None:
        self._storage = storage
        self._public_url = public_url

    @retried
    def write(self, parameters: Mapping[str, str]) -> Mail | None:
        """Render the mail; None if the address is not verified or the user has unsubscribed."""
        user_id = UUID(parameters["user_id"])
        with self._storage.read() as work:
            recipient = work.recipients.get(user_id)
            if recipient is None or not recipient.verified or not work.preferences.get(user_id).weekly_report:
                return None
        text = REPORT_TEXT.format(name=recipient.name, url=self._public_url, **parameters)
        week = parameters["week"]
        pdf = Attachment(f"week-{week}.pdf", base64.b64decode(parameters["pdf"]))
        return Mail(recipient.email, f"Your week {week}", text, [pdf])
