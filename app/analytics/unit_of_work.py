"""Unit of work of the analytics service."""

from sqlalchemy.orm import Session

from app.analytics.repository import SqlFacts, SqlReportSubscriptions
from app.core.database.unit_of_work import UnitOfWork


class AnalyticsUnitOfWork(UnitOfWork):
    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.facts = SqlFacts(session)
        self.subscriptions = SqlReportSubscriptions(session)
