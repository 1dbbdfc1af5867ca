"""Events of the notifications service."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from app.core.clock import NewId
from app.core.events.contracts import EventType
from app.core.events.model import Event
from app.notifications.model import Channel, Kind, Preferences


class MailPreferences(TypedDict):
    reminder_mails: bool
    weekly_report: Annotated[bool, Field(description="Whether the user wants the weekly report by e-mail")]
    report_wanted: Annotated[bool, Field(description="Whether the user wants the weekly report by any channel")]


EVENTS = (
    EventType("preferences.changed", "The mail preferences of a user have changed: the current ones", MailPreferences),
)


def preferences_changed(user_id: UUID, preferences: Preferences, new_id: NewId, now: datetime) -> Event:
    payload: MailPreferences = {
        "reminder_mails": preferences.reminder_mails,
        "weekly_report": preferences.weekly_report,
        "report_wanted": any(preferences.wants(Kind.REPORT, channel) for channel in Channel),
    }
    return Event(new_id(), "preferences.changed", user_id, now, payload)
