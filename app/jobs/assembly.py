"""What does jobs and carries events on, put together: which handler stands behind which kind, and who hears of what."""

from typing import NamedTuple

from app.jobs import data_export, erasure
from app.jobs.aggregate import AggregateFacts
from app.jobs.data_export import ExportData, JobsData
from app.jobs.deliveries import Deliveries
from app.jobs.erasure import EraseOnDeletion, Eraser, EraseUser, RepeatDeletions, erase_jobs
from app.jobs.exports import ExportTasks
from app.jobs.imports import ImportTasks
from app.jobs.loop import Loop
from app.jobs.mails import SendMail
from app.jobs.normalise import NormaliseTasks
from app.jobs.relay import Relay
from app.jobs.reports import MakeReport, PlanReports
from app.jobs.runner import Runner
from app.jobs.schedule import Scheduler
from app.jobs.snapshots import SnapshotTasks
from app.platform.clock import new_id, utc_now
from app.platform.events import Consumer
from app.platform.mail import Letters, mailer
from app.platform.objects.shelf import Shelf
from app.platform.settings import Settings
from app.platform.spans import Spans
from app.services.analytics import personal_data as analytics
from app.services.analytics.consumer import FactKeeper
from app.services.auth import registration, resets, verification
from app.services.auth.personal_data import AccountData, AuditData
from app.services.notifications import letters
from app.services.notifications import personal_data as notifications
from app.services.notifications.consumers import KnowRecipients, MailReports, Remind
from app.services.tasks import personal_data as tasks
from app.services.tasks.reminders import ReminderService
from app.storage.work import SqlStorage, SqlWork

ERASERS: dict[str, Eraser] = {
    "tasks": tasks.erase,
    "notifications": notifications.erase,
    "analytics": analytics.erase,
    "jobs": erase_jobs,
}
"""What deletes the data of a user, by who has it."""

SCHEDULING = 60
"""Seconds between two looks for what is due by the clock."""


class AccountLetters(NamedTuple):
    """What writes the mails of the auth service."""

    password_reset: Letters
    verification: Letters
    account_exists: Letters


def runner(
    settings: Settings, storage: SqlStorage, shelf: Shelf, account_letters: AccountLetters, spans: Spans
) -> Runner:
    """Return what does jobs of every kind."""
    sender = mailer(settings)
    address = settings.public_url or ""
    return Runner(
        storage,
        {
            "import": ImportTasks(utc_now, new_id),
            "export": ExportTasks(utc_now),
            "snapshot": SnapshotTasks(utc_now, new_id),
            "normalise": NormaliseTasks(),
            "aggregate": AggregateFacts(utc_now),
            "reports": PlanReports(utc_now, new_id, lambda work, users: work.preferences.wanting_reports(users)),
            "report": MakeReport(utc_now, new_id),
            data_export.KIND: ExportData(
                (
                    AccountData(shelf),
                    AuditData(),
                    tasks.TasksData(),
                    tasks.AttachmentsData(shelf),
                    notifications.NotificationsData(),
                    analytics.StatisticsData(),
                    JobsData(),
                ),
                utc_now,
            ),
            erasure.KIND: EraseUser(ERASERS, utc_now),
            "deletions": RepeatDeletions(utc_now, new_id),
        },
        {
            resets.MAIL: SendMail(sender, account_letters.password_reset),
            verification.MAIL: SendMail(sender, account_letters.verification),
            registration.MAIL: SendMail(sender, account_letters.account_exists),
            letters.REMINDER_MAIL: SendMail(sender, letters.ReminderLetters(storage, address)),
            letters.REPORT_MAIL: SendMail(sender, letters.ReportLetters(storage, address)),
        },
        utc_now,
        new_id,
        lease=settings.visibility_timeout,
        attempts=settings.job_attempts,
        backoff=settings.job_backoff,
        spans=spans,
    )


def deliveries(settings: Settings, storage: SqlStorage, spans: Spans) -> Deliveries:
    """Return what brings events to the consumers of every service."""
    erasures = (EraseOnDeletion(service, utc_now, new_id) for service in ERASERS)
    consumers: tuple[Consumer[SqlWork], ...] = (KnowRecipients(), Remind(), MailReports(), FactKeeper(), *erasures)
    attempts, first = settings.job_attempts, settings.job_backoff
    return Deliveries(storage, consumers, utc_now, attempts=attempts, first=first, spans=spans)


def clockwork(settings: Settings, storage: SqlStorage, carrier: Deliveries) -> tuple[Loop, ...]:
    """Return what goes on by itself, beside requests and jobs.

    Args:
        carrier: takes events from the outbox to their consumers.
    """
    return (
        Loop("relay", Relay(storage, carrier, utc_now).turn, settings.job_poll),
        Loop("deliveries", carrier.turn, settings.job_poll),
        Loop("reminders", ReminderService(storage, utc_now, new_id).turn, settings.job_poll),
        Loop("scheduler", Scheduler(storage, utc_now, new_id).turn, SCHEDULING),
    )
