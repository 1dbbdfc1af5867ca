"""Retention rules of the tasks tables."""

from app.core.database.retention import WITH_ACCOUNT, KeepRule, Rule
from app.tasks.tables import AttachmentRow, AttachmentUsageRow, TaskRow, TaskTagRow

RULES: tuple[Rule, ...] = (
    KeepRule(TaskRow, "by its owner, or with the account"),
    KeepRule(TaskTagRow, "with the task"),
    KeepRule(AttachmentRow, "by its owner, or with the task"),
    KeepRule(AttachmentUsageRow, WITH_ACCOUNT),
)
