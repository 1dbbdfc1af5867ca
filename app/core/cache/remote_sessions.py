"""Session states of a service whose database has no sessions: an access token counts until it expires.

The denylist in Redis still refuses the sessions that have ended; without Redis nobody tells this process of them.
"""

from uuid import UUID

from app.core.database.retries import retried
from app.core.database.unit_of_work import Storage, UnitOfWork


class RemoteSessionStates:
    def __init__(self, storage: Storage[UnitOfWork]) -> None:
        self._storage = storage

    def ended(self, user_id: UUID, session_id: UUID) -> bool:  # noqa: ARG002 only the service that has sessions knows
        return False

    @retried
    def version(self, user_id: UUID, session_id: UUID) -> int | None:  # noqa: ARG002
        """Return the version of what the user sees of this database's services."""
        with self._storage.read() as work:
            return work.versions.get(user_id)
