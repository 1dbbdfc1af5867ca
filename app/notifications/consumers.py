"""Event consumers of the notifications service."""

from uuid import UUID

from app.core.events.model import Event
from app.notifications.email_templates import REMINDER_MAIL, REPORT_MAIL
from app.notifications.model import Kind, Notification, Recipient
from app.notifications.ports import NotificationWork


class RecipientProjection:
    """Projects user events into mail recipients."""

    name = "notifications.recipients"
    events = frozenset({"user.registered", "user.changed"})

    def handle(self, work: NotificationWork, event: Event) -> None:
        email, name = (str(event.payload[fact]) for fact in ("email", "name"))
        # Absent in events of releases without verification.
        verified = event.payload.get("verified") is True
        work.recipients.put(Recipient(_user_of(event), email, name, verified), event.at)


class ReminderConsumer:
    """Creates a notification for a due reminder, and queues its mail if the user wants it."""

    name = "notifications.reminders"
    events = frozenset({"task.reminder_due"})

    def handle(self, work: NotificationWork, event: Event) -> None:
        user_id, task_id = _user_of(event), UUID(str(event.payload["task_id"]))
        title = str(event.payload["title"])
        work.notifications.add(Notification(event.id, user_id, Kind.REMINDER, task_id, title, event.at))
        if work.preferences.get(user_id).reminder_mails:
            work.mails.add(REMINDER_MAIL, {"notification_id": str(event.id)})


class ReportMailConsumer:
    """Queues the mail with the weekly report, if the user wants it."""

    name = "notifications.reports"
    events = frozenset({"report.ready"})

    def handle(self, work: NotificationWork, event: Event) -> None:
        user_id = _user_of(event)
        if work.preferences.get(user_id).weekly_report:
            report = {name: str(event.payload[name]) for name in ("week", "created", "completed", "pdf")}
            work.mails.add(REPORT_MAIL, {"user_id": str(user_id), **report})


def _user_of(event: Event) -> UUID:
    if event.user_id is None:
        raise ValueError(f"{event.name} without a user")
    return event.user_id
