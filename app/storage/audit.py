"""Repository of the audit log."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from app.services.auth.model import AuditEntry, AuditFilters
from app.storage.models.auth import AuditRow

BATCH = 500
"""Rows that an export holds in memory at a time."""


class SqlAudit:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, entry: AuditEntry) -> None:
        self._session.add(AuditRow(**vars(entry)))
        self._session.flush()

    def find(self, filters: AuditFilters, after: UUID | None, limit: int) -> list[AuditEntry]:
        statement = _matching(filters).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit)
        if after is not None:
            # the time of that entry is asked for apart, since no index serves a row compared with a row of a subquery
            at = select(AuditRow.at).where(AuditRow.id == after).scalar_subquery()
            statement = statement.where(tuple_(AuditRow.at, AuditRow.id) < tuple_(at, after))
        return [_entry(row) for row in self._session.scalars(statement)]

    def all(self, filters: AuditFilters) -> Iterator[AuditEntry]:
        statement = _matching(filters).order_by(AuditRow.at, AuditRow.id).execution_options(yield_per=BATCH)
        for row in self._session.scalars(statement):
            yield _entry(row)


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


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor_id, row.action, row.subject_id, row.remote, row.details)
