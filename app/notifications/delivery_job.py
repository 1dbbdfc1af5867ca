"""Job handler that delivers a notification by one channel, at most once or with one Message-ID.

The decision to send is a transaction of its own before the call of the provider, and the outcome one after it. A
worker that dies in between leaves the state `sending`: see Transport.repeatable.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Generic
from uuid import UUID

import structlog

from app.core.clock import Clock
from app.core.database.retries import run
from app.core.errors import UnavailableError
from app.core.jobs.model import DeferredError, Job, PermanentError
from app.notifications.fan_out import delivery_of
from app.notifications.model import ENDED, DeliveryState, Kind, Notification
from app.notifications.ports import (
    DeliveryRefusedError,
    DeliveryUnknownError,
    Message,
    NotificationStorage,
    NotificationWork,
    Transport,
)

DAY = timedelta(days=1)

UNWANTED = "no longer wanted"
OVER_THE_LIMIT = "limit of the day"

log = structlog.get_logger(__name__)


class DeliverNotification(Generic[Message]):
    """Delivers a notification, unless it is no longer wanted, it is quiet, or the user has had enough for a day.

    What is not delivered for another reason than the user's own choice is listed in the app.

    Args:
        transport: sends.
        daily_limit: deliveries by this channel to a user within 24 hours.
    """

    attempts = 100
    """Retries within seconds at first, then every ten minutes: for about 16 hours."""

    def __init__(
        self, storage: NotificationStorage, transport: Transport[Message], clock: Clock, daily_limit: int
    ) -> None:
        self._storage = storage
        self._transport = transport
        self._clock = clock
        self._daily_limit = daily_limit

    def run(self, job: Job) -> None:
        parameters = {name: str(value) for name, value in job.parameters.items()}
        notification_id = UUID(parameters.get("notification_id", str(job.id)))
        message = run(self._storage.write, lambda work: self._decide(work, notification_id, parameters))
        if message is None:
            return
        try:
            provider_id = self._transport.send(message, notification_id)
        except UnavailableError:
            self._settle(notification_id, DeliveryState.WAITING)
            raise
        except DeliveryUnknownError as error:
            self._settle(notification_id, DeliveryState.UNKNOWN, str(error))
        except DeliveryRefusedError as error:
            self._refuse(notification_id, message, error)
        else:
            self._settle(notification_id, DeliveryState.SENT, provider_id=provider_id)

    def _decide(self, work: NotificationWork, notification_id: UUID, parameters: Mapping[str, str]) -> Message | None:
        """Return the message to be sent; None for none. Raises DeferredError while it is quiet."""
        channel, now = self._transport.channel, self._clock()
        notification = work.notifications.get(notification_id) or _of_former_job(work, notification_id, parameters, now)
        if notification is None:
            return None
        user_id = notification.user_id
        work.recipients.lock(user_id)
        delivery = work.deliveries.lock(delivery_of(notification, channel))
        if delivery.state in ENDED:
            return None
        if delivery.state is DeliveryState.SENDING and not self._transport.repeatable:
            self._record(work, notification_id, DeliveryState.UNKNOWN, "its worker died")
            return None
        preferences = work.preferences.get(user_id)
        if not preferences.wants(notification.kind, channel):
            work.deliveries.settle(notification_id, channel, DeliveryState.DROPPED, now, UNWANTED)
            return None
        sent = work.deliveries.sent_since(user_id, channel, now - DAY)
        if delivery.state is DeliveryState.SENDING:
            sent -= 1
        elif preferences.quiet_hours and (until := preferences.quiet_hours.until(now, preferences.time_zone)):
            raise DeferredError(until)
        if sent >= self._daily_limit:
            self._record(work, notification_id, DeliveryState.DROPPED, OVER_THE_LIMIT)
            return None
        message = self._transport.prepare(work, notification, parameters, last=sent == self._daily_limit - 1)
        if isinstance(message, str):
            self._record(work, notification_id, DeliveryState.DROPPED, message)
            return None
        work.deliveries.settle(notification_id, channel, DeliveryState.SENDING, now)
        return message

    def _refuse(self, notification_id: UUID, message: Message, error: DeliveryRefusedError) -> None:
        def refuse(work: NotificationWork) -> None:
            self._record(work, notification_id, DeliveryState.FAILED, str(error))
            if error.address:
                self._transport.suspend(work, message, str(error))

        run(self._storage.write, refuse)
        if not error.address:
            raise PermanentError(str(error)) from error
        log.info("address refused", channel=self._transport.channel, reason=str(error))

    def _settle(
        self, notification_id: UUID, state: DeliveryState, reason: str | None = None, provider_id: str | None = None
    ) -> None:
        run(self._storage.write, lambda work: self._record(work, notification_id, state, reason, provider_id))

    def _record(
        self,
        work: NotificationWork,
        notification_id: UUID,
        state: DeliveryState,
        reason: str | None = None,
        provider_id: str | None = None,
    ) -> None:
        work.deliveries.settle(notification_id, self._transport.channel, state, self._clock(), reason, provider_id)
        if state in {DeliveryState.DROPPED, DeliveryState.FAILED, DeliveryState.UNKNOWN}:
            work.notifications.show(notification_id)


def _of_former_job(
    work: NotificationWork, notification_id: UUID, parameters: Mapping[str, str], now: datetime
) -> Notification | None:
    """Return the notification of a report's job of the former release, which stored none."""
    if "notification_id" in parameters or work.recipients.get(user_id := UUID(parameters["user_id"])) is None:
        return None
    title = f"Your week {parameters['week']}"
    notification = Notification(notification_id, user_id, Kind.REPORT, None, title, now, in_app=False)
    work.notifications.add(notification)
    return notification
