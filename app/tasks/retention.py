"""How long the rows of tasks stay."""

from app.core.database.retention import WITH_ACCOUNT, Kept, Rule
from app.tasks.tables import AttachmentRow, AttachmentUsageRow, TaskRow, TaskTagRow

RULES: tuple[Rule, ...] = (
    Kept(TaskRow, "by its owner, or with the account"),
    Kept(TaskTagRow, "with the task"),
    Kept(AttachmentRow, "by its owner, or with the task"),
    Kept(AttachmentUsageRow, WITH_ACCOUNT),
)
