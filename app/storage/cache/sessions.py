"""Which sessions have ended, by the auth service's own tables: right for all processes, and after a restart."""

from uuid import UUID

from app.platform.retries import retried
from app.storage.work import SqlStorage


class EndedSessions:
    def __init__(self, storage: SqlStorage) -> None:
        self._storage = storage

    @retried
    def ended(self, user_id: UUID, session_id: UUID) -> bool:
        """Tell whether the session has ended, or is none of this user's."""
        with self._storage.read() as work:
            session = work.sessions.get(session_id)
        return session is None or session.user_id != user_id or session.revoked_at is not None
