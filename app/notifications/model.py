"""Domain model of the notifications service."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    REMINDER = "reminder"


@dataclass(frozen=True)
class Notification:
    """Something that a user is told.

    Args:
        id: that of the event that it tells of.
        task_id: the task that it is about; it may be gone.
        title: of the task, as it was then.
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
    """What a user wants to have by mail."""

    reminder_mails: bool = True
    weekly_report: bool = False


@dataclass(frozen=True)
class Recipient:
    """Where mails to a user go.

    Args:
        verified: whether somebody who reads the mails to that address has said so. None goes to others.
    """

    user_id: UUID
    email: str
    name: str
    verified: bool = False
