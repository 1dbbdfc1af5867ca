"""Events of the notifications service.

preferences.changed  a user's current mail preferences
"""

from datetime import datetime
from uuid import UUID

from app.core.clock import NewId
from app.core.events.model import Event
from app.notifications.model import Preferences


def preferences_changed(user_id: UUID, preferences: Preferences, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), "preferences.changed", user_id, now, {**vars(preferences)})
