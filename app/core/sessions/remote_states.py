"""Session states of a service whose database has no sessions: live until an event has told of their end."""

from uuid import UUID

from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage, UnitOfWork


class RemoteSessionStates:
    def __init__(self, storage: Storage[UnitOfWork]) -> None:
        self._storage = storage

    @retried
    def ended(self, user_id: UUID, session_id: UUID) -> bool:
        """Return whether the session is known to have ended, or its user to be deleted."""
        with self._storage.read() as work:
            return work.ended_sessions.ended(user_id, session_id)

    @retried
    def version(self, user_id: UUID, session_id: UUID) -> int | None:
        """Return the version of the user's data in this database; None if the session is known to have ended."""
        with self._storage.read() as work:
            return work.ended_sessions.version(user_id, session_id)
