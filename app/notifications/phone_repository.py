"""Repository of telephone numbers."""

from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.core.database.user_versions import touch
from app.notifications.model import Phone, VerificationCode
from app.notifications.tables import PhoneRow

NO_CODE = {"code_id": None, "code_expires_at": None, "code_tries": 0, "code_sent": False}


class SqlPhones:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: UUID) -> Phone | None:
        row = self._session.get(PhoneRow, user_id, populate_existing=True)
        return Phone(row.user_id, row.number, row.verified, row.suspended) if row else None

    def put(self, phone: Phone) -> None:
        touch(self._session, phone.user_id)
        values = {**vars(phone), **NO_CODE}
        statement = insert_into(self._session, PhoneRow).values(**values)
        self._session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))

    def code(self, user_id: UUID) -> VerificationCode | None:
        row = self._session.get(PhoneRow, user_id, with_for_update=True, populate_existing=True)
        if row is None or row.code_id is None or row.code_expires_at is None:
            return None
        return VerificationCode(row.code_id, row.code_expires_at, row.code_tries, row.code_sent)

    def put_code(self, user_id: UUID, code: VerificationCode | None) -> None:
        values = NO_CODE if code is None else {f"code_{name}": value for name, value in vars(code).items()}
        mine = update(PhoneRow).where(PhoneRow.user_id == user_id)
        self._session.execute(mine.values(**values).execution_options(synchronize_session=False))

    def remove(self, user_id: UUID) -> None:
        touch(self._session, user_id)
        self.delete(user_id)

    def delete(self, user_id: UUID) -> int:
        """Delete the number of a deleted user; return the number of rows."""
        return changed(self._session.execute(delete(PhoneRow).where(PhoneRow.user_id == user_id)))
