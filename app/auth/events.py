"""Events of the auth service."""

from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from app.auth.model import User
from app.core.clock import NewId
from app.core.events.contracts import EventType, Id, Time
from app.core.events.model import EXPORT_REQUESTED, SESSION_ENDED, USER_DELETED, Event
from app.core.jobs.model import Job


class UserFacts(TypedDict):
    email: str
    name: str
    verified: bool


class SessionEnd(TypedDict):
    session_id: Id
    tokens_expire_at: Time
    """When the last access token of the session has expired, by any server's clock."""


class ExportRequest(TypedDict):
    export_id: Id
    """The id of each part's job. Ids grow with time."""


class NoFacts(TypedDict):
    pass


EVENTS = (
    EventType("user.registered", "An account was opened", UserFacts),
    EventType("user.changed", "Address, name or verification of a user has changed: the current values", UserFacts),
    EventType(SESSION_ENDED, "A session has ended: every service refuses its access tokens", SessionEnd),
    EventType(USER_DELETED, "An account was deleted: every service deletes its data of that user", NoFacts),
    EventType(EXPORT_REQUESTED, "A user wants a copy of their data: every service makes its part", ExportRequest),
)


def registered(user: User, new_id: NewId) -> Event:
    return Event(new_id(), "user.registered", user.id, user.created_at, _facts(user))


def changed(user: User, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), "user.changed", user.id, now, _facts(user))


def session_ended(user_id: UUID, session_id: UUID, tokens_expire_at: datetime, new_id: NewId, now: datetime) -> Event:
    payload: SessionEnd = {"session_id": str(session_id), "tokens_expire_at": tokens_expire_at.isoformat()}
    return Event(new_id(), SESSION_ENDED, user_id, now, payload)


def deleted(user_id: UUID, new_id: NewId, now: datetime) -> Event:
    return Event(new_id(), USER_DELETED, user_id, now)


def export_requested(job: Job, new_id: NewId) -> Event:
    """Return the event of a copy of whose parts this job makes the first one."""
    payload: ExportRequest = {"export_id": str(job.id)}
    return Event(new_id(), EXPORT_REQUESTED, job.user_id, job.created_at, payload)


def _facts(user: User) -> UserFacts:
    return {"email": user.email, "name": user.name, "verified": user.email_verified}
