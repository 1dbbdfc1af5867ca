"""Event consumers of the notifications service."""

from types import MappingProxyType
from typing import NotRequired, cast
from uuid import UUID

from typing_extensions import TypedDict

from app.core.events.contracts import Id
from app.core.events.model import Event
from app.notifications.fan_out import notify
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


class FinishedImport(TypedDict):
    created: int
    rejected: int


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
    """Notifies of a due reminder."""

    name = "notifications.reminders"
    reads = MappingProxyType({"task.reminder_due": DueTask})
    events = reads.keys()

    def handle(self, work: NotificationWork, event: Event) -> None:
        notify(work, _about_task(event, Kind.REMINDER))


class OverdueConsumer:
    """Notifies of a task that is past its due date."""

    name = "notifications.overdue"
    reads = MappingProxyType({"task.overdue": DueTask})
    events = reads.keys()

    def handle(self, work: NotificationWork, event: Event) -> None:
        notify(work, _about_task(event, Kind.OVERDUE))


class ImportConsumer:
    """Notifies of tasks that an import has created."""

    name = "notifications.imports"
    reads = MappingProxyType({"task.import_finished": FinishedImport})
    events = reads.keys()

    def handle(self, work: NotificationWork, event: Event) -> None:
        outcome = cast("FinishedImport", event.payload)
        created, rejected = outcome["created"], outcome["rejected"]
        title = f"Import finished: {_counted(created, 'task')} created"
        if rejected:
            title += f", {_counted(rejected, 'line')} rejected"
        notify(work, Notification(event.id, _user_of(event), Kind.TASK_CHANGED, None, title, event.at))


class ReportConsumer:
    """Notifies of the weekly report; its e-mail has the report attached."""

    name = "notifications.reports"
    reads = MappingProxyType({"report.ready": Report})
    events = reads.keys()

    def handle(self, work: NotificationWork, event: Event) -> None:
        user_id, report = _user_of(event), cast("Report", event.payload)
        week, created, completed = report["week"], report["created"], report["completed"]
        title = f"Your week {week}: {_counted(created, 'task')} created, {completed} completed"
        figures = {"created": str(created), "completed": str(completed)}
        mail = {"user_id": str(user_id), "week": week, **figures, "pdf": report["pdf"]}
        notify(work, Notification(event.id, user_id, Kind.REPORT, None, title, event.at), mail)


def _about_task(event: Event, kind: Kind) -> Notification:
    task = cast("DueTask", event.payload)
    return Notification(event.id, _user_of(event), kind, UUID(task["task_id"]), task["title"], event.at)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _user_of(event: Event) -> UUID:
    if event.user_id is None:
        raise ValueError(f"{event.name} without a user")
    return event.user_id
