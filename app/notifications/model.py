"""Domain model of the notifications service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from app.notifications.quiet_hours import QuietHours


class Kind(StrEnum):
    """Kind of event that users are notified of."""

    REMINDER = "reminder"
    OVERDUE = "overdue"
    TASK_CHANGED = "task_changed"
    """Tasks have changed by something else than a request of the user's: an import."""
    REPORT = "report"


class Channel(StrEnum):
    IN_APP = "in_app"
    EMAIL = "email"
    SMS = "sms"


Choices = Mapping[Kind, Mapping[Channel, bool]]
"""Whether a user wants notifications of a kind by a channel."""

DEFAULTS: Choices = MappingProxyType(
    {
        kind: MappingProxyType({channel: channel in wanted for channel in Channel})
        for kind, wanted in {
            Kind.REMINDER: (Channel.IN_APP, Channel.EMAIL),
            Kind.OVERDUE: (Channel.IN_APP,),
            Kind.TASK_CHANGED: (Channel.IN_APP,),
            Kind.REPORT: (),
        }.items()
    }
)

MAIL_PREFERENCES: Mapping[Kind, str] = MappingProxyType({Kind.REMINDER: "reminder_mails", Kind.REPORT: "weekly_report"})
"""Fields of Preferences that hold the choice of a kind's e-mails."""


@dataclass(frozen=True)
class Notification:
    """A notification of a user.

    Args:
        id: id of the event that caused it.
        task_id: its task, which may have been deleted; None if it is about no single task.
        title: title of the task at that time, or what has happened.
        in_app: whether it is listed in the app; otherwise it goes by other channels only.
    """

    id: UUID
    user_id: UUID
    kind: Kind
    task_id: UUID | None
    title: str
    created_at: datetime
    read_at: datetime | None = None
    in_app: bool = True


@dataclass(frozen=True)
class Preferences:
    """Notification preferences of a user.

    Args:
        reminder_mails, weekly_report: the choices of MAIL_PREFERENCES.
        others: the user's other choices; DEFAULTS apply to the rest.
        time_zone: IANA name of the time zone of the quiet hours.
        quiet_hours: when neither e-mails nor SMS are sent, if ever.
    """

    reminder_mails: bool = True
    weekly_report: bool = False
    others: Choices = field(default_factory=dict)
    time_zone: str = "UTC"
    quiet_hours: QuietHours | None = None

    def wants(self, kind: Kind, channel: Channel) -> bool:
        """Return whether the user wants notifications of a kind by a channel."""
        if channel is Channel.EMAIL and kind in MAIL_PREFERENCES:
            return bool(getattr(self, MAIL_PREFERENCES[kind]))
        return self.others.get(kind, {}).get(channel, DEFAULTS[kind][channel])

    @property
    def channels(self) -> Choices:
        """All choices, with the defaults."""
        return {kind: {channel: self.wants(kind, channel) for channel in Channel} for kind in Kind}


@dataclass(frozen=True)
class Recipient:
    """Mail recipient: address and name of a user.

    Args:
        verified: whether the address is verified; no mail goes to others.
        suspended: why no mail goes to this address any more, if so.
    """

    user_id: UUID
    email: str
    name: str
    verified: bool = False
    suspended: str | None = None


@dataclass(frozen=True)
class Phone:
    """A user's telephone number.

    Args:
        number: in E.164.
        verified: whether the user has sent back a code; no notification goes to others.
        suspended: why nothing is sent there any more, if so.
    """

    user_id: UUID
    number: str
    verified: bool = False
    suspended: str | None = None


@dataclass(frozen=True)
class VerificationCode:
    """A code that verifies a number: derived from its id, so that it is stored nowhere.

    Args:
        tries: wrong codes that were sent back.
        sent: whether it was given to the provider.
    """

    id: UUID
    expires_at: datetime
    tries: int = 0
    sent: bool = False


class DeliveryState(StrEnum):
    WAITING = "waiting"
    """Not tried yet, deferred, or to be retried."""
    SENDING = "sending"
    """Given to the provider, whose answer is not recorded yet."""
    SENT = "sent"
    FAILED = "failed"
    """The provider has refused it."""
    DROPPED = "dropped"
    """Not sent: no longer wanted, or impossible."""
    UNKNOWN = "unknown"
    """Perhaps sent: the provider's answer was lost, and a retry might send it twice."""


ENDED = frozenset({DeliveryState.SENT, DeliveryState.DROPPED, DeliveryState.UNKNOWN})
"""States in which nothing is sent any more. What has failed may be requeued by an operator."""


@dataclass(frozen=True)
class Delivery:
    """A notification's way to its user by e-mail or SMS: at most one for each channel.

    Args:
        reason: why it was dropped or has failed.
        decided_at: when the state was set; None before the first try.
    """

    notification_id: UUID
    channel: Channel
    user_id: UUID
    kind: Kind
    created_at: datetime
    state: DeliveryState = DeliveryState.WAITING
    reason: str | None = None
    decided_at: datetime | None = None
