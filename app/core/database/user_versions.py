"""User versions: a counter of changes for each user, incremented in the transaction of the change."""

from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.database.user_version_table import UserVersionRow

TOUCHED = "touched"
"""Key of `Session.info`."""


def touch(session: Session, user_id: UUID) -> None:
    """Mark the user's data as changed by the session's transaction."""
    session.info.setdefault(TOUCHED, set()).add(user_id)


def touched(session: Session) -> set[UUID]:
    """Return the users whose data the session's transaction changes."""
    users: set[UUID] = session.info.get(TOUCHED, set())
    return users


# Built once: without Redis it is part of every request.
VERSION = select(UserVersionRow.version).where(UserVersionRow.user_id == bindparam("user_id"))


class SqlVersions:
    """User versions in the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def increment(self) -> None:
        """Increment the version of each touched user, in the order of their ids, which avoids deadlocks."""
        for user_id in sorted(touched(self._session)):
            statement = insert_into(self._session, UserVersionRow).values(user_id=user_id, version=1)
            increment = {"version": UserVersionRow.version + 1}
            self._session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=increment))

    def get(self, user_id: UUID) -> int:
        """Return the user's version; 0 without any change."""
        return self._session.scalar(VERSION, {"user_id": user_id}) or 0

    def delete(self, user_id: UUID) -> int:
        """Delete a user's version; return the number of rows deleted."""
        return changed(self._session.execute(delete(UserVersionRow).where(UserVersionRow.user_id == user_id)))
