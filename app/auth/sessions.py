"""Listing and ending of sessions."""

from collections.abc import Iterable
from uuid import UUID

from app.auth.model import Session
from app.auth.ports import AuthStorage, AuthWork, Denylist
from app.core.clock import Clock
from app.core.database.retries import retried, run
from app.core.errors import NotFoundError


class SessionService:
    def __init__(self, storage: AuthStorage, denylist: Denylist, clock: Clock) -> None:
        self._storage = storage
        self._denylist = denylist
        self._clock = clock

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
                work.sessions.revoke(session, now)

        run(self._storage.write, revoke)

    def end_one(self, user_id: UUID, session_id: UUID) -> None:
        """End one of the user's own sessions. Raises NotFoundError."""
        if session_id not in {session.id for session in self.list(user_id)}:
            raise NotFoundError("There is no such session.")
        self.end(user_id, [session_id])

    def end_all(self, user_id: UUID, but: UUID | None = None) -> None:
        """End every session of a user except `but`."""
        self.end(user_id, [session.id for session in self.list(user_id) if session.id != but])
