"""Event consumers of the notifications service."""

from types import MappingProxyType
from typing import NotRequired, cast
from uuid import UUID

from typing_extensions import TypedDict

from app.core.events.contracts import Id
from app.core.events.model import Event
from app.notifications.email_templates import REMINDER_MAIL, REPORT_MAIL
from app.notifications.model import Kind, Notification, Recipient
from app.notifications.ports import NotificationWork


class User(TypedDict):
    email: str
    name: str
    # Absent in events of releases without verification.
    verified: NotRequired[bool]


class DueTask(TypedDict):
    task_id: Id
    title: str


class Report(TypedDict):
    week: str
    created: int
    completed: int
    pdf: str


class RecipientProjection:
    """Projects user events into mail recipients."""

    name = "notifications.recipients"
    reads = MappingProxyType({"user.registered": User, "user.changed": User})
    events = reads.keys()

    def handle(self, work: NotificationWork, event: Event) -> None:
        user = cast("User", event.payload)
        verified = user.get("verified") is True
        work.recipients.put(Recipient(_user_of(event), user["email"], user["name"], verified), event.at)


class ReminderConsumer:
    """Creates a notification for a due reminder, and queues its mail if the user wants it."""

    name = "notifications.reminders"
    reads = MappingProxyType({"task.reminder_due": DueTask})
    events = reads.keys()

    def handle(self, work: NotificationWork, event: Event) -> None:
        user_id, task = _user_of(event), cast("DueTask", event.payload)
        notification = Notification(event.id, user_id, Kind.REMINDER, UUID(task["task_id"]), task["title"], event.at)
        work.notifications.add(notification)
        if work.preferences.get(user_id).reminder_mails:
            work.mails.add(REMINDER_MAIL, {"notification_id": str(event.id)})


class ReportMailConsumer:
    """Queues the mail with the weekly report, if the user wants it."""

    name = "notifications.reports"
    reads = MappingProxyType({"report.ready": Report})
    events = reads.keys()

    def handle(self, work: NotificationWork, event: Event) -> None:
        user_id, report = _user_of(event), cast("Report", event.payload)
        if work.preferences.get(user_id).weekly_report:
            figures = {"created": str(report["created"]), "completed": str(report["completed"])}
            mail = {"user_id": str(user_id), "week": report["week"], **figures, "pdf": report["pdf"]}
            work.mails.add(REPORT_MAIL, mail)


def _user_of(event: Event) -> UUID:
    if event.user_id is None:
        raise ValueError(f"{event.name} without a user")
    return event.user_id
