"""Session states of a service whose database has no sessions: an access token is valid until it expires.

Ended sessions are denied by their entries in Redis; without Redis this process does not learn of them.
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
        """Return the version of the user's data in this database."""
        with self._storage.read() as work:
            return work.versions.get(user_id)
