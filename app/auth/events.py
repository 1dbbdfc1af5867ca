"""Events of the auth service.

user.registered  address, name, and whether the address is verified
user.changed     the same, current values
user.deleted     the user id alone: every service deletes its data of that user
"""

from datetime import datetime
from uuid import UUID

from app.auth.model import User
from app.core.clock import NewId
from app.core.events.model import USER_DELETED, Event


def registered(user: User, new_id: NewId) -> Event:
    return Event(new_id(), "user.registered", user.id, user.created_at, _facts(user))


def changed(user: User, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), "user.changed", user.id, now, _facts(user))


def deleted(user_id: UUID, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), USER_DELETED, user_id, now)


def _facts(user: User) -> dict[str, object]:
    return {"email": user.email, "name": user.name, "verified": user.email_verified}
