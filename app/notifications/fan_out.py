"""Fan-out of a notification to the channels that its user wants."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from app.notifications.model import Channel, Delivery, Kind, Notification
from app.notifications.ports import NotificationWork

REMINDER_MAIL = "reminder"
REPORT_MAIL = "report-mail"
NOTIFICATION_MAIL = "notification-mail"
NOTIFICATION_SMS = "notification-sms"
"""Kinds of jobs. Those of reminders and reports are the former release's, which can send them after a rollback."""

MAIL_JOBS = MappingProxyType({Kind.REMINDER: REMINDER_MAIL, Kind.REPORT: REPORT_MAIL})
"""Jobs by which e-mails are sent, where they are not NOTIFICATION_MAIL."""


def notify(work: NotificationWork, notification: Notification, parameters: Mapping[str, str] | None = None) -> None:
    """Store a notification, and queue its deliveries, in the transaction of the event that caused it.

    Nothing is stored for somebody who wants it by no channel.

    Args:
        parameters: further parameters of the e-mail's job; no secrets, since they are stored.
    """
    preferences = work.preferences.get(notification.user_id)
    wanted = [channel for channel in Channel if preferences.wants(notification.kind, channel)]
    if not wanted:
        return
    work.notifications.add(replace(notification, in_app=Channel.IN_APP in wanted))
    for channel in wanted:
        if channel is Channel.IN_APP:
            continue
        job = NOTIFICATION_SMS if channel is Channel.SMS else MAIL_JOBS.get(notification.kind, NOTIFICATION_MAIL)
        work.deliveries.add(delivery_of(notification, channel))
        more = parameters if channel is Channel.EMAIL and parameters else {}
        work.mails.add(job, {"notification_id": str(notification.id), **more})


def delivery_of(notification: Notification, channel: Channel) -> Delivery:
    return Delivery(notification.id, channel, notification.user_id, notification.kind, notification.created_at)
