"""Unit of work of the auth service."""

from sqlalchemy.orm import Session

from app.auth.audit_repository import SqlAudit
from app.auth.password_reset_repository import SqlPasswordResets
from app.auth.repository import SqlSessions, SqlUsers
from app.core.database.unit_of_work import UnitOfWork


class AuthUnitOfWork(UnitOfWork):
    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.users = SqlUsers(session)
        self.sessions = SqlSessions(session)
        self.resets = SqlPasswordResets(session)
        self.audit = SqlAudit(session)
