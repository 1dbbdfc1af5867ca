"""Repository of ended sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from app.core.database.upsert import insert_into
from app.core.database.user_versions import VERSION
from app.core.events.tables import DeletedUserRow
from app.core.sessions.tables import EndedSessionRow

# Built once: without Redis the second one is part of every request.
ENDED = select(
    or_(
        select(EndedSessionRow.session_id).where(EndedSessionRow.session_id == bindparam("session_id")).exists(),
        # The last events of a deleted user may be on their way still.
        select(DeletedUserRow.user_id).where(DeletedUserRow.user_id == bindparam("user_id")).exists(),
    )
)
ENDED_AND_VERSION = ENDED.add_columns(VERSION.scalar_subquery())


class SqlEndedSessions:
    """Ended sessions in the database of one service."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, session_id: UUID, tokens_expire_at: datetime) -> None:
        """Record a session as ended. Idempotent."""
        values = {"session_id": session_id, "tokens_expire_at": tokens_expire_at}
        statement = insert_into(self._session, EndedSessionRow).values(**values)
        self._session.execute(statement.on_conflict_do_nothing())

    def ended(self, user_id: UUID, session_id: UUID) -> bool:
        """Return whether the session has ended, or its user is deleted."""
        return bool(self._session.scalar(ENDED, {"user_id": user_id, "session_id": session_id}))

    def version(self, user_id: UUID, session_id: UUID) -> int | None:
        """Return the version of the user's data, or None if the session has ended: one statement for both."""
        ids = {"user_id": user_id, "session_id": session_id}
        ended, version = self._session.execute(ENDED_AND_VERSION, ids).one()
        return None if ended else version or 0
