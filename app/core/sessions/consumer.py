"""Consumer of ended sessions: their access tokens are refused from then on."""

from datetime import datetime
from types import MappingProxyType
from typing import Protocol, cast
from uuid import UUID

import structlog
from typing_extensions import TypedDict

from app.core.database.unit_of_work import UnitOfWork
from app.core.errors import UnavailableError
from app.core.events.contracts import Id, Time
from app.core.events.model import SESSION_ENDED, Event

log = structlog.get_logger(__name__)


class Denylist(Protocol):
    def deny(self, user_id: UUID, session_id: UUID) -> None:
        """Deny the session from now on. Raises UnavailableError if that can't be stored."""


class EndedSession(TypedDict):
    session_id: Id
    tokens_expire_at: Time


class EndedSessionConsumer:
    """Stores ended sessions in the service's database, and denies them in its cache.

    Args:
        denylist: the cache that all processes of the service look into, or one that asks the database.
    """

    name = "sessions.ended"
    reads = MappingProxyType({SESSION_ENDED: EndedSession})
    events = reads.keys()

    def __init__(self, denylist: Denylist) -> None:
        self._denylist = denylist

    def handle(self, work: UnitOfWork, event: Event) -> None:
        if event.user_id is None:
            raise ValueError(f"{event.name} is about nobody")
        ended = cast("EndedSession", event.payload)
        session_id = UUID(ended["session_id"])
        work.ended_sessions.add(session_id, datetime.fromisoformat(ended["tokens_expire_at"]))
        try:
            # Before the commit: an end is never taken back, and a lookup must not cache the state from before it.
            self._denylist.deny(event.user_id, session_id)
        except UnavailableError:
            # Without Redis sessions are looked up in the database; once it is back, a live one is confirmed there.
            log.warning("ended session not denied in redis", session_id=str(session_id))
