"""Retention rules of the analytics tables."""

from app.analytics.tables import DailyCountRow, ReportSubscriptionRow, TaskFactRow
from app.core.database.retention import WITH_ACCOUNT, KeepRule, Rule

RULES: tuple[Rule, ...] = (
    KeepRule(TaskFactRow, "by the nightly aggregation into counts, 30 days after the task was deleted"),
    KeepRule(DailyCountRow, WITH_ACCOUNT),
    KeepRule(ReportSubscriptionRow, WITH_ACCOUNT),
)
