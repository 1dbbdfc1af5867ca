"""Events of the notifications service."""

from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from app.core.clock import NewId
from app.core.events.contracts import EventType
from app.core.events.model import Event
from app.notifications.model import Preferences


class MailPreferences(TypedDict):
    reminder_mails: bool
    weekly_report: bool


EVENTS = (
    EventType("preferences.changed", "The mail preferences of a user have changed: the current ones", MailPreferences),
)


def preferences_changed(user_id: UUID, preferences: Preferences, new_id: NewId, now: datetime) -> Event:
    payload: MailPreferences = {
        "reminder_mails": preferences.reminder_mails,
        "weekly_report": preferences.weekly_report,
    }
    return Event(new_id(), "preferences.changed", user_id, now, payload)
