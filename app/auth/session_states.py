"""State of sessions, from the auth tables."""

from uuid import UUID

from app.auth.unit_of_work import AuthUnitOfWork
from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage


class SessionStates:
    def __init__(self, storage: Storage[AuthUnitOfWork]) -> None:
        self._storage = storage

    @retried
    def ended(self, user_id: UUID, session_id: UUID) -> bool:
        """Return whether the session has ended, or does not belong to this user."""
        with self._storage.read() as work:
            return not work.sessions.active(user_id, session_id)

    @retried
    def version(self, user_id: UUID, session_id: UUID) -> int | None:
        """Return the version of the user's data; None if the session has ended or does not belong to this user."""
        with self._storage.read() as work:
            return work.versions.get(user_id) if work.sessions.active(user_id, session_id) else None
