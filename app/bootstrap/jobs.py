"""Wiring of background work: job handlers, event consumers and polling loops."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from app.analytics import personal_data as analytics
from app.analytics.aggregation_job import AggregateFacts
from app.analytics.projection import TaskFactProjection
from app.analytics.report_job import MakeReport, PlanReports
from app.auth import email_verification, password_resets, registration
from app.auth.deletion_job import RepeatDeletions
from app.auth.personal_data import AccountData, AuditData
from app.bootstrap.unit_of_work import SystemStorage, SystemUnitOfWork
from app.core.clock import new_id, utc_now
from app.core.events.dispatcher import Dispatcher
from app.core.events.model import Consumer
from app.core.events.relay import Relay
from app.core.jobs import data_export_job, erasure
from app.core.jobs.data_export_job import ExportData, JobsData
from app.core.jobs.erasure import EraseOnDeletion, Eraser, EraseUser, erase_jobs
from app.core.jobs.mail_jobs import SendMail
from app.core.jobs.model import JobKind
from app.core.jobs.polling_loop import PollingLoop
from app.core.jobs.runner import Runner
from app.core.jobs.scheduler import Scheduler
from app.core.mail import EmailTemplate, mailer
from app.core.objects.file_service import FileStore
from app.core.observability.span_context import Spans
from app.core.settings import Settings
from app.notifications import email_templates
from app.notifications import personal_data as notifications
from app.notifications.consumers import RecipientProjection, ReminderConsumer, ReportMailConsumer
from app.tasks import export_job
from app.tasks import personal_data as tasks
from app.tasks.export_job import ExportTasks
from app.tasks.import_job import ImportTasks
from app.tasks.import_plan import ignored_columns
from app.tasks.normalise_job import NormaliseTasks
from app.tasks.reminders import ReminderService
from app.tasks.snapshot_job import SnapshotTasks

ERASERS: dict[str, Eraser[SystemUnitOfWork]] = {
    "tasks": tasks.erase,
    "notifications": notifications.erase,
    "analytics": analytics.erase,
    "jobs": erase_jobs,
}
"""What deletes the data of a user, by who has it."""

KINDS = {
    "import": JobKind(details=ignored_columns),
    "export": export_job.KIND,
    data_export_job.KIND: data_export_job.ARCHIVE,
}
"""What the API says of the jobs of a kind beside what it says of all."""

SCHEDULING = 60
"""Seconds between two looks for what is due by the clock."""


def wanting_reports(work: SystemUnitOfWork, users: Collection[UUID]) -> list[UUID]:
    """Return those of the users who want the weekly report, which the notifications service knows."""
    return work.preferences.wanting_reports(users)


class AccountEmailTemplates(NamedTuple):
    """What writes the mails of the auth service."""

    password_reset: EmailTemplate
    verification: EmailTemplate
    account_exists: EmailTemplate


def runner(
    settings: Settings,
    storage: SystemStorage,
    file_store: FileStore,
    account_letters: AccountEmailTemplates,
    spans: Spans,
) -> Runner[SystemUnitOfWork]:
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
            "reports": PlanReports(utc_now, new_id, wanting_reports),
            "report": MakeReport(utc_now, new_id),
            data_export_job.KIND: ExportData(
                (
                    AccountData(file_store),
                    AuditData(),
                    tasks.TasksData(),
                    tasks.AttachmentsData(file_store),
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
            password_resets.MAIL: SendMail(sender, account_letters.password_reset),
            email_verification.MAIL: SendMail(sender, account_letters.verification),
            registration.MAIL: SendMail(sender, account_letters.account_exists),
            email_templates.REMINDER_MAIL: SendMail(sender, email_templates.ReminderEmail(storage, address)),
            email_templates.REPORT_MAIL: SendMail(sender, email_templates.ReportEmail(storage, address)),
        },
        utc_now,
        new_id,
        lease=settings.visibility_timeout,
        attempts=settings.job_attempts,
        backoff=settings.job_backoff,
        spans=spans,
    )


def dispatcher(settings: Settings, storage: SystemStorage, spans: Spans) -> Dispatcher[SystemUnitOfWork]:
    """Return what brings events to the consumers of every service."""
    erasures = (EraseOnDeletion(service, utc_now, new_id) for service in ERASERS)
    consumers: tuple[Consumer[SystemUnitOfWork], ...] = (
        RecipientProjection(),
        ReminderConsumer(),
        ReportMailConsumer(),
        TaskFactProjection(),
        *erasures,
    )
    attempts, first = settings.job_attempts, settings.job_backoff
    return Dispatcher(storage, consumers, utc_now, attempts=attempts, first=first, spans=spans)


def polling_loops(
    settings: Settings, storage: SystemStorage, carrier: Dispatcher[SystemUnitOfWork]
) -> tuple[PollingLoop, ...]:
    """Return what goes on by itself, beside requests and jobs.

    Args:
        carrier: takes events from the outbox to their consumers.
    """
    return (
        PollingLoop("relay", Relay(storage, carrier, utc_now).run_once, settings.job_poll),
        PollingLoop("deliveries", carrier.run_once, settings.job_poll),
        PollingLoop("reminders", ReminderService(storage, utc_now, new_id).run_once, settings.job_poll),
        PollingLoop("scheduler", Scheduler(storage, utc_now, new_id).run_once, SCHEDULING),
    )
