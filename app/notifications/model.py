"""Domain model of the notifications service."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    REMINDER = "reminder"


@dataclass(frozen=True)
class Notification:
    """A notification of a user.

    Args:
        id: id of the event that caused it.
        task_id: its task, which may have been deleted.
        title: title of the task at that time.
    """

    id: UUID
    user_id: UUID
    kind: Kind
    task_id: UUID
    title: str
    created_at: datetime
    read_at: datetime | None = None


@dataclass(frozen=True)
class Preferences:
    """Mail preferences of a user."""

    reminder_mails: bool = True
    weekly_report: bool = False


@dataclass(frozen=True)
class Recipient:
    """Mail recipient: address and name of a user.

    Args:
        verified: whether the address is verified; no mail goes to others.
    """

    user_id: UUID
    email: str
    name: str
    verified: bool = False
