"""User versions: a counter of changes for each user, incremented in the transaction that changes."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.database.user_version_table import UserVersionRow

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

    def increment(self) -> None:
        """Count one change for each user that was touched. In order, so that no two wait for each other in a ring."""
        for user_id in sorted(touched(self._session)):
            statement = insert_into(self._session, UserVersionRow).values(user_id=user_id, version=1)
            increment = {"version": UserVersionRow.version + 1}
            self._session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=increment))

    def get(self, user_id: UUID) -> int:
        """Return how often what this user sees has changed."""
        return self._session.scalar(select(UserVersionRow.version).where(UserVersionRow.user_id == user_id)) or 0

    def delete(self, user_id: UUID) -> int:
        """Delete the count of a user; return how many rows it were."""
        return changed(self._session.execute(delete(UserVersionRow).where(UserVersionRow.user_id == user_id)))
