"""A count of each user's changes, kept by the transactions that make them."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.storage.models import SessionRow, UserVersionRow
from app.storage.upsert import insert_into

TOUCHED = "touched"


def touch(session: Session, user_id: UUID) -> None:
    """Note that the transaction changes what this user sees."""
    session.info.setdefault(TOUCHED, set()).add(user_id)


def touched(session: Session) -> set[UUID]:
    """Return the users whose data the transaction changes."""
    users: set[UUID] = session.info.get(TOUCHED, set())
    return users


class SqlVersions:
    def __init__(self, session: Session) -> None:
        self._session = session

    def of_session(self, user_id: UUID, session_id: UUID) -> int | None:
        """Return the version of the user's data, or None when the session has ended or is none of this user's."""
        statement = (
            select(SessionRow.id, UserVersionRow.version)
            .join(UserVersionRow, UserVersionRow.user_id == SessionRow.user_id, isouter=True)
            .where(SessionRow.id == session_id, SessionRow.user_id == user_id, SessionRow.revoked_at.is_(None))
        )
        row = self._session.execute(statement).first()
        return None if row is None else row.version or 0

    def count(self) -> None:
        """Count one change for each user that was touched. In order, so that no two wait for each other in a ring."""
        for user_id in sorted(touched(self._session)):
            statement = insert_into(self._session, UserVersionRow).values(user_id=user_id, version=1)
            increment = {"version": UserVersionRow.version + 1}
            self._session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=increment))
