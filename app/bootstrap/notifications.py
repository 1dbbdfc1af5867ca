"""Wiring of the notifications service."""

from typing import TYPE_CHECKING

from app.bootstrap.platform import Platform
from app.bootstrap.wiring import Service
from app.core.clock import new_id, utc_now
from app.core.jobs.mail_jobs import SendMail
from app.core.mail import mailer
from app.notifications.consumers import RecipientProjection, ReminderConsumer, ReportMailConsumer
from app.notifications.email_templates import REMINDER_MAIL, REPORT_MAIL, ReminderEmail, ReportEmail
from app.notifications.events import EVENTS
from app.notifications.personal_data import NotificationsData, erase
from app.notifications.retention import RULES
from app.notifications.service import NotificationService
from app.notifications.snapshot_job import SnapshotPreferences
from app.notifications.unit_of_work import NotificationUnitOfWork

if TYPE_CHECKING:
    from flask_openapi.blueprint import APIBlueprint

    from app.core.jobs.service import JobService


class Notifications(Service):
    name = "notifications"
    rules = RULES
    events = EVENTS
    consumers = (RecipientProjection(), ReminderConsumer(), ReportMailConsumer())
    erase = staticmethod(erase)
    data = (NotificationsData(),)

    def __init__(self, platform: Platform) -> None:
        storage = platform.storage(NotificationUnitOfWork)
        sender, url = mailer(platform.settings), platform.settings.public_url or ""
        self._platform = platform
        self.storage = storage
        self.service = NotificationService(storage, utc_now, new_id)
        self.handlers = {"preferences-snapshot": SnapshotPreferences(utc_now, new_id)}
        self.side_effects = {
            REMINDER_MAIL: SendMail(sender, ReminderEmail(storage, url)),
            REPORT_MAIL: SendMail(sender, ReportEmail(storage, url)),
        }

    def blueprints(self, jobs: "JobService") -> "list[APIBlueprint]":  # noqa: ARG002 part of the interface
        from app.notifications import routes

        return [routes.blueprint(self.service, self._platform.authenticator)]
