"""Delivery of notifications by SMS."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import UUID

from app.core.sms.port import SmsRefusedError, SmsSender, SmsUnknownError
from app.notifications.model import Channel, Kind, Notification
from app.notifications.ports import DeliveryRefusedError, DeliveryUnknownError, NotificationWork

NO_PROVIDER = "no SMS provider"
NO_NUMBER = "no verified number"

LONGEST_TITLE = 100
"""Characters: with the rest the text fits into two or three messages of 70 or 160."""

PREFIXES = MappingProxyType({Kind.REMINDER: "Reminder: ", Kind.OVERDUE: "Overdue: "})


@dataclass(frozen=True)
class TextMessage:
    user_id: UUID
    number: str
    text: str


class SmsTransport:
    """Sends text messages, each at most once: a recipient can't tell a repetition.

    Args:
        sender: the provider; None drops all.
        public_url: base URL of the front end.
    """

    channel = Channel.SMS
    repeatable = False

    def __init__(self, sender: SmsSender | None, public_url: str) -> None:
        self._sender = sender
        self._public_url = public_url

    def prepare(
        self, work: NotificationWork, notification: Notification, parameters: Mapping[str, str], *, last: bool
    ) -> TextMessage | str:
        del parameters
        if self._sender is None:
            return NO_PROVIDER
        phone = work.phones.get(notification.user_id)
        if phone is None or not phone.verified:
            return NO_NUMBER
        if phone.suspended:
            return phone.suspended
        title = notification.title
        if len(title) > LONGEST_TITLE:
            title = f"{title[: LONGEST_TITLE - 1]}…"
        note = " (The last SMS for today.)" if last else ""
        text = f"{PREFIXES.get(notification.kind, '')}{title}{note} {self._public_url}"
        return TextMessage(phone.user_id, phone.number, text.rstrip())

    def suspend(self, work: NotificationWork, message: TextMessage, reason: str) -> None:
        phone = work.phones.get(message.user_id)
        if phone and phone.number == message.number:
            work.phones.put(replace(phone, suspended=reason))

    def send(self, message: TextMessage, notification_id: UUID) -> str:
        del notification_id
        if self._sender is None:
            raise DeliveryRefusedError(NO_PROVIDER)
        try:
            return self._sender.send(message.number, message.text)
        except SmsUnknownError as error:
            raise DeliveryUnknownError(str(error)) from error
        except SmsRefusedError as error:
            raise DeliveryRefusedError(str(error), address=error.number) from error
