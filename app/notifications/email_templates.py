"""E-mail templates of the notifications service."""

import base64
from collections.abc import Mapping
from types import MappingProxyType

from app.core.mail import Attachment, Mail
from app.notifications.model import Kind, Notification, Recipient

SUBJECTS = MappingProxyType({Kind.REMINDER: "Reminder: {title}", Kind.OVERDUE: "Overdue: {title}"})
"""Subjects of kinds whose title is that of a task."""

INTRODUCTIONS = MappingProxyType(
    {
        Kind.REMINDER: "you wanted to be reminded of this:",
        Kind.OVERDUE: "this was to be done by now:",
        Kind.TASK_CHANGED: "your tasks have changed:",
    }
)

TEXT = """\
Hello {name},

{introduction}

{title}

Your tasks: {url}/#/tasks
"""

REPORT_TEXT = """\
Hello {name},

in week {week} you created {created} and completed {completed} tasks.

The whole report is attached, and here: {url}/#/statistics
"""

LAST = """\

This is the last mail for today: what else there is stands in the app.
"""

FOOTER = """\
No more such mails, please: {unsubscribe}
"""


def mail_of(
    notification: Notification,
    recipient: Recipient,
    parameters: Mapping[str, str],
    *,
    url: str,
    unsubscribe: str,
    last: bool,
) -> Mail:
    """Render the mail of a notification.

    Args:
        notification, recipient: what it is about, and who gets it.
        parameters: of the job: the figures and the PDF of a report.
        url: base URL of the front end.
        unsubscribe: URL that unsubscribes from this kind of mails.
        last: whether it is the last mail for today.
    """
    footer = (LAST if last else "") + FOOTER.format(unsubscribe=unsubscribe)
    if notification.kind is Kind.REPORT:
        text = REPORT_TEXT.format(name=recipient.name, url=url, **parameters)
        week = parameters["week"]
        pdf = Attachment(f"week-{week}.pdf", base64.b64decode(parameters["pdf"]))
        return Mail(recipient.email, f"Your week {week}", text + footer, [pdf], unsubscribe)
    title = notification.title
    text = TEXT.format(name=recipient.name, introduction=INTRODUCTIONS[notification.kind], title=title, url=url)
    subject = SUBJECTS.get(notification.kind, "{title}").format(title=title)
    return Mail(recipient.email, subject, text + footer, unsubscribe_url=unsubscribe)
