"""Repository of the audit log."""

from uuid import UUID

from sqlalchemy import Select, Tuple, literal, select, tuple_
from sqlalchemy.orm import Session

from app.auth.model import AuditEntry, AuditFilters
from app.auth.tables import AuditRow


class SqlAudit:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, entry: AuditEntry) -> None:
        self._session.add(AuditRow(**vars(entry)))
        self._session.flush()

    def find(self, filters: AuditFilters, after: UUID | None, limit: int) -> list[AuditEntry]:
        statement = _matching(filters).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit)
        if after is not None:
            # The time is a scalar subquery: no index serves a comparison with a row of a subquery.
            at = select(AuditRow.at).where(AuditRow.id == after).scalar_subquery()
            statement = statement.where(tuple_(AuditRow.at, AuditRow.id) < tuple_(at, after))
        return [_entry(row) for row in self._session.scalars(statement)]

    def about(self, user_id: UUID, after: UUID | None, limit: int) -> list[AuditEntry]:
        statement = select(AuditRow).where(AuditRow.subject_id == user_id).order_by(AuditRow.id.desc()).limit(limit)
        if after is not None:
            statement = statement.where(AuditRow.id < after)
        return [_entry(row) for row in self._session.scalars(statement)]

    def oldest(
        self, filters: AuditFilters, after: AuditEntry | None, until: AuditEntry, limit: int
    ) -> list[AuditEntry]:
        place = tuple_(AuditRow.at, AuditRow.id)
        statement = _matching(filters).where(place <= _place(until)).order_by(AuditRow.at, AuditRow.id).limit(limit)
        if after is not None:
            statement = statement.where(place > _place(after))
        return [_entry(row) for row in self._session.scalars(statement)]


def _matching(filters: AuditFilters) -> Select[AuditRow]:
    statement = select(AuditRow)
    if filters.actor_id is not None:
        statement = statement.where(AuditRow.actor_id == filters.actor_id)
    if filters.action is not None:
        statement = statement.where(AuditRow.action == filters.action)
    if filters.after is not None:
        statement = statement.where(AuditRow.at >= filters.after)
    if filters.before is not None:
        statement = statement.where(AuditRow.at < filters.before)
    return statement


def _place(entry: AuditEntry) -> Tuple:
    return tuple_(literal(entry.at, AuditRow.at.type), literal(entry.id, AuditRow.id.type))


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor_id, row.action, row.subject_id, row.remote, row.details)
