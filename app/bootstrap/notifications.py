"""Wiring of the notifications service."""

from typing import TYPE_CHECKING

from app.bootstrap.platform import Platform
from app.bootstrap.wiring import Service
from app.core.clock import new_id, utc_now
from app.core.mail import mailer
from app.core.security.signing import Signer
from app.core.security.sns_messages import SnsTopic
from app.core.sms.factory import sms_sender
from app.notifications.bounces import BounceService
from app.notifications.consumers import (
    ImportConsumer,
    OverdueConsumer,
    RecipientProjection,
    ReminderConsumer,
    ReportConsumer,
)
from app.notifications.delivery_job import DeliverNotification
from app.notifications.email_transport import EmailTransport
from app.notifications.events import EVENTS
from app.notifications.fan_out import NOTIFICATION_MAIL, NOTIFICATION_SMS, REMINDER_MAIL, REPORT_MAIL
from app.notifications.metrics import DeliveryMetrics
from app.notifications.personal_data import DeliveriesData, NotificationsData, erase
from app.notifications.phone_numbers import CODE_SMS, PhoneService, SendCode
from app.notifications.retention import RULES
from app.notifications.service import NotificationService
from app.notifications.sms_transport import SmsTransport
from app.notifications.snapshot_job import SnapshotPreferences
from app.notifications.unit_of_work import NotificationUnitOfWork
from app.notifications.unsubscription import UnsubscriptionService

if TYPE_CHECKING:
    from flask_openapi.blueprint import APIBlueprint

    from app.core.jobs.service import JobService


class Notifications(Service):
    name = "notifications"
    rules = RULES
    events = EVENTS
    consumers = (RecipientProjection(), ReminderConsumer(), OverdueConsumer(), ImportConsumer(), ReportConsumer())
    erase = staticmethod(erase)
    data = (NotificationsData(), DeliveriesData())

    def __init__(self, platform: Platform) -> None:
        storage = platform.storage(NotificationUnitOfWork)
        settings = platform.settings
        url = settings.public_url or ""
        self._platform = platform
        self.storage = storage
        self.service = NotificationService(storage, utc_now, new_id)
        self.handlers = {"preferences-snapshot": SnapshotPreferences(utc_now, new_id)}
        self.unsubscription = UnsubscriptionService(
            storage, Signer(*platform.keys("unsubscribe")), url, utc_now, new_id
        )
        by_email = EmailTransport(mailer(settings), url, self.unsubscription.url)
        mails = DeliverNotification(storage, by_email, utc_now, settings.daily_mails)
        sms = sms_sender(settings)
        self.phones = PhoneService(
            storage,
            Signer(*platform.keys("phone-code")),
            settings.sms_countries.split(),
            utc_now,
            new_id,
            enabled=sms is not None,
        )
        self.bounces = BounceService(storage)
        self.collectors = (DeliveryMetrics(storage, utc_now),)
        self.side_effects = {
            **dict.fromkeys((REMINDER_MAIL, REPORT_MAIL, NOTIFICATION_MAIL), mails),
            NOTIFICATION_SMS: DeliverNotification(storage, SmsTransport(sms, url), utc_now, settings.daily_sms),
            CODE_SMS: SendCode(storage, self.phones, sms, utc_now),
        }

    def blueprints(self, jobs: "JobService") -> "list[APIBlueprint]":  # noqa: ARG002 part of the interface
        from app.notifications import bounce_routes, phone_routes, routes, unsubscription_routes

        settings = self._platform.settings
        topic = SnsTopic(settings.ses_topic, utc_now) if settings.ses_topic else None
        password = settings.bounce_password
        return [
            routes.blueprint(self.service, self._platform.authenticator),
            bounce_routes.blueprint(self.bounces, topic, password.get_secret_value() if password else None),
            phone_routes.blueprint(self.phones, self._platform.authenticator, self._platform.limits),
            unsubscription_routes.blueprint(self.unsubscription),
        ]
