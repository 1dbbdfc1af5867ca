"""Listing and ending of sessions."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from app.auth import events
from app.auth.model import Session
from app.auth.ports import AuthStorage, AuthWork, Denylist
from app.core.clock import Clock, NewId
from app.core.database.retries import retried, run
from app.core.errors import NotFoundError


class SessionService:
    """Lists and ends sessions. Each end is published in its transaction, for services that verify tokens themselves.

    Args:
        token_validity: how long after its issue an access token may be accepted, by any server's clock.
    """

    def __init__(
        self, storage: AuthStorage, denylist: Denylist, token_validity: timedelta, clock: Clock, new_id: NewId
    ) -> None:
        self._storage = storage
        self._denylist = denylist
        self._token_validity = token_validity
        self._clock = clock
        self._new_id = new_id

    @retried
    def list(self, user_id: UUID) -> list[Session]:
        """Return the user's sessions that can still be refreshed, newest first."""
        with self._storage.read() as work:
            return work.sessions.of_user(user_id, self._clock())

    def end(self, user_id: UUID, sessions: Iterable[UUID]) -> None:
        """End sessions of a user: their access and refresh tokens are rejected from now on.

        The denylist comes first: if it is unavailable, nothing has changed and the client may retry.

        Raises:
            UnavailableError: the denylist is unavailable.
        """
        ending = list(sessions)
        for session in ending:
            self._denylist.deny(user_id, session)
        now = self._clock()

        def revoke(work: AuthWork) -> None:
            for session in ending:
                self.revoke(work, user_id, session, now)

        run(self._storage.write, revoke)

    def revoke(self, work: AuthWork, user_id: UUID, session_id: UUID, now: datetime) -> None:
        """End a session in the database alone, and publish it; a no-op if it has ended before."""
        if work.sessions.revoke(session_id, now):
            expired = now + self._token_validity
            work.outbox.add(events.session_ended(user_id, session_id, expired, self._new_id, now))

    def end_one(self, user_id: UUID, session_id: UUID) -> None:
        """End one of the user's own sessions. Raises NotFoundError."""
        if session_id not in {session.id for session in self.list(user_id)}:
            raise NotFoundError("There is no such session.")
        self.end(user_id, [session_id])

    def end_all(self, user_id: UUID, but: UUID | None = None) -> None:
        """End every session of a user except `but`."""
        self.end(user_id, [session.id for session in self.list(user_id) if session.id != but])
