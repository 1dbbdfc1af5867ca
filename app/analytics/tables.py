"""Tables of the analytics service: task facts and daily counts."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.database.base import new_metadata
from app.core.database.migrate import Branch
from app.core.database.partial_index import where
from app.core.database.types import UtcDateTime


class AnalyticsBase(DeclarativeBase):
    metadata = new_metadata()


class TaskFactRow(AnalyticsBase):
    """Fact of a task (app.analytics.read_model). The last three columns are derived."""

    __tablename__ = "task_facts"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    completed_version: Mapped[int]
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_on: Mapped[date]
    completed_on: Mapped[date | None]
    seconds_to_completion: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("idx_task_facts_user_created", "user_id", "created_on"),
        Index("idx_task_facts_user_completed", "user_id", "completed_on"),
        Index("idx_task_facts_user_status", "user_id", "status", "due_at", **where("deleted_at IS NULL")),
        Index("idx_task_facts_deleted_at", "deleted_at", **where("deleted_at IS NOT NULL")),
    )


class DailyCountRow(AnalyticsBase):
    """Tasks created and completed by a user on a day, of rolled-up facts."""

    __tablename__ = "daily_counts"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    created: Mapped[int]
    completed: Mapped[int]


class ReportSubscriptionRow(AnalyticsBase):
    """Whether a user subscribes to the weekly report, as of `at`; a projection of the notifications service."""

    __tablename__ = "report_subscriptions"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    subscribed: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


BRANCH = Branch("analytics", "analytics_0002", AnalyticsBase.metadata)
