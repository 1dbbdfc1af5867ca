"""Ports of the notifications service."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from app.core.events.model import Outbox
from app.core.mail import Outgoing
from app.notifications.model import (
    Channel,
    Choices,
    Delivery,
    DeliveryState,
    Kind,
    Notification,
    Phone,
    Preferences,
    Recipient,
    VerificationCode,
)


class Notifications(Protocol):
    def add(self, notification: Notification) -> None: ...

    def get(self, notification_id: UUID) -> Notification | None: ...

    def find(
        self, user_id: UUID, after: UUID | None, limit: int, kinds: Collection[Kind] = tuple(Kind)
    ) -> list[Notification]:
        """Return up to `limit` notifications that the app lists, newest first, older than `after`."""

    def unread(self, user_id: UUID, kinds: Collection[Kind] = tuple(Kind)) -> int:
        """Return the number of unread notifications of this user that the app lists."""

    def mark_read(self, user_id: UUID, notification_id: UUID, now: datetime) -> bool:
        """Mark a notification of this user as read, unless it is; return whether it exists."""

    def mark_all_read(self, user_id: UUID, now: datetime) -> None: ...

    def show(self, notification_id: UUID) -> None:
        """List a notification in the app, whether or not the user has chosen that."""


class Recipients(Protocol):
    def put(self, recipient: Recipient, at: datetime) -> None:
        """Upsert a recipient as of a time, unless a later state is stored.

        A verified address stays verified, whatever the order of events.
        """

    def get(self, user_id: UUID) -> Recipient | None: ...

    def suspend(self, email: str, reason: str) -> bool:
        """Let no mail go to an address until its user changes it or asks for it; return whether somebody has it."""

    def resume(self, user_id: UUID) -> None:
        """Let mails go to the user's address again."""

    def lock(self, user_id: UUID) -> Recipient | None:
        """Return a recipient with its row locked: of one user's deliveries one is decided at a time."""


class PreferencesOfUsers(Protocol):
    def get(self, user_id: UUID) -> Preferences:
        """Return this user's preferences, or the defaults."""

    def change(self, user_id: UUID, change: Mapping[str, object], choices: Choices) -> None:
        """Set some preferences without overwriting concurrent changes of others.

        Args:
            user_id: the user.
            change: fields of Preferences, except `others`.
            choices: to be put into `others`.
        """


class Deliveries(Protocol):
    def add(self, delivery: Delivery) -> None: ...

    def lock(self, delivery: Delivery) -> Delivery:
        """Return the stored delivery of this notification and channel with its row locked; if there is none, as of a
        job of the former release, store this one."""

    def settle(
        self,
        notification_id: UUID,
        channel: Channel,
        state: DeliveryState,
        now: datetime,
        reason: str | None = None,
        provider_id: str | None = None,
    ) -> None:
        """Set the state of a delivery.

        Args:
            notification_id, channel: the delivery.
            state: the new state.
            now: when it was decided.
            reason: why.
            provider_id: the provider's name of the message.
        """

    def sent_since(self, user_id: UUID, channel: Channel, since: datetime) -> int:
        """Return the number of a user's deliveries that were, or may have been, sent since a time."""


class Phones(Protocol):
    def get(self, user_id: UUID) -> Phone | None: ...

    def put(self, phone: Phone) -> None:
        """Store a user's number, with no code under way."""

    def code(self, user_id: UUID) -> VerificationCode | None:
        """Return the code under way, with the number's row locked."""

    def put_code(self, user_id: UUID, code: VerificationCode | None) -> None:
        """Store the code under way."""

    def remove(self, user_id: UUID) -> None:
        """Delete a user's number."""


class NotificationWork(Protocol):
    """The notifications tables within one transaction."""

    @property
    def notifications(self) -> Notifications: ...

    @property
    def recipients(self) -> Recipients: ...

    @property
    def preferences(self) -> PreferencesOfUsers: ...

    @property
    def deliveries(self) -> Deliveries: ...

    @property
    def phones(self) -> Phones: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def mails(self) -> Outgoing: ...


class NotificationStorage(Protocol):
    def read(self) -> AbstractContextManager[NotificationWork]:
        """Open a read-only transaction."""

    def read_of(self, user_id: UUID, *, snapshot: bool = False) -> AbstractContextManager[NotificationWork]:
        """Open a read-only transaction with read-your-writes, perhaps on a replica, or one with a single snapshot."""

    def write(self) -> AbstractContextManager[NotificationWork]:
        """Open a transaction that commits when its block ends without an exception."""


Message = TypeVar("Message")
"""What a channel sends."""


class Transport(Protocol[Message]):
    """Sends the notifications of a channel.

    Attributes:
        channel: the channel.
        repeatable: whether a notification may be sent again when the answer was lost.
    """

    channel: Channel
    repeatable: bool

    def prepare(
        self, work: NotificationWork, notification: Notification, parameters: Mapping[str, str], *, last: bool
    ) -> Message | str:
        """Return the message, or why there is none.

        Args:
            work: the transaction that decides on it.
            notification: what it is about.
            parameters: of the job.
            last: whether the user gets no more by this channel for today.
        """

    def suspend(self, work: NotificationWork, message: Message, reason: str) -> None:
        """Send nothing more to the address of a message, for as long as the user has not changed it."""

    def send(self, message: Message, notification_id: UUID) -> str | None:
        """Send a message; return the provider's name of it, if it has one.

        Raises:
            UnavailableError: it was not sent; a retry may succeed.
            DeliveryUnknownError: it may have been sent.
            DeliveryRefusedError: it will not be sent.
        """


class DeliveryUnknownError(Exception):
    """The provider's answer was lost: the message may have been sent."""


class DeliveryRefusedError(Exception):
    """The provider refuses the message for good.

    Args:
        reason: why, in a few words without personal data.
        address: whether the recipient's address is the reason, so that nothing more is to be sent there.
    """

    def __init__(self, reason: str, *, address: bool = False) -> None:
        super().__init__(reason)
        self.address = address
