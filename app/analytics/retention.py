"""How long the rows of analytics stay."""

from app.analytics.tables import DailyCountRow, TaskFactRow
from app.core.database.retention import WITH_ACCOUNT, Kept, Rule

RULES: tuple[Rule, ...] = (
    Kept(TaskFactRow, "by the nightly aggregation into counts, 30 days after the task was deleted"),
    Kept(DailyCountRow, WITH_ACCOUNT),
)
