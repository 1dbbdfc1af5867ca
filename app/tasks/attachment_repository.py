"""Repository of attachments."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Select, delete, insert, select, update
from sqlalchemy.orm import Session

from app.core.database.row_count import changed
from app.core.database.upsert import insert_into
from app.tasks.model import Attachment
from app.tasks.tables import AttachmentRow, AttachmentUsageRow


class SqlAttachments:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, attachment: Attachment, quota: int) -> bool:
        if attachment.size > quota:
            return False
        # A single upsert: concurrent uploads can't both take the rest of the quota.
        taken = self._session.execute(
            insert_into(self._session, AttachmentUsageRow)
            .values(user_id=attachment.user_id, bytes=attachment.size)
            .on_conflict_do_update(
                index_elements=["user_id"],
                set_={"bytes": AttachmentUsageRow.bytes + attachment.size},
                where=AttachmentUsageRow.bytes <= quota - attachment.size,
            )
        )
        assert isinstance(taken, CursorResult)  # noqa: S101 narrows the type for the type checker
        if not taken.rowcount:
            return False
        self._session.execute(insert(AttachmentRow).values(**vars(attachment)))
        return True

    def used(self, user_id: UUID) -> int:
        found = select(AttachmentUsageRow.bytes).where(AttachmentUsageRow.user_id == user_id)
        return self._session.scalar(found) or 0

    def of_task(self, user_id: UUID, task_id: UUID) -> list[Attachment]:
        mine = (AttachmentRow.task_id == task_id, AttachmentRow.user_id == user_id)
        return self._found(select(AttachmentRow).where(*mine))

    def of_user(self, user_id: UUID, after: UUID | None, limit: int) -> list[Attachment]:
        mine = select(AttachmentRow).where(AttachmentRow.user_id == user_id).limit(limit)
        return self._found(mine if after is None else mine.where(AttachmentRow.id > after))

    def _found(self, statement: Select[AttachmentRow]) -> list[Attachment]:
        return [
            Attachment(row.id, row.task_id, row.user_id, row.name, row.content_type, row.size, row.created_at)
            for row in self._session.scalars(statement.order_by(AttachmentRow.id))
        ]

    def delete(self, user_id: UUID, task_id: UUID, attachment_id: UUID) -> bool:
        return bool(self._drop(user_id, AttachmentRow.id == attachment_id, AttachmentRow.task_id == task_id))

    def delete_of(self, user_id: UUID, task_ids: Sequence[UUID]) -> list[UUID]:
        return self._drop(user_id, AttachmentRow.task_id.in_(task_ids)) if task_ids else []

    def delete_usage(self, user_id: UUID) -> int:
        return changed(self._session.execute(delete(AttachmentUsageRow).where(AttachmentUsageRow.user_id == user_id)))

    def _drop(self, user_id: UUID, *which: ColumnElement[bool]) -> list[UUID]:
        mine = delete(AttachmentRow).where(AttachmentRow.user_id == user_id, *which)
        dropped = self._session.execute(mine.returning(AttachmentRow.id, AttachmentRow.size)).all()
        if dropped:
            freed = sum(row.size for row in dropped)
            usage = update(AttachmentUsageRow).where(AttachmentUsageRow.user_id == user_id)
            self._session.execute(usage.values(bytes=AttachmentUsageRow.bytes - freed))
        return [row.id for row in dropped]
