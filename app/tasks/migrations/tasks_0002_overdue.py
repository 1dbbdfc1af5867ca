"""Due dates whose `task.overdue` has been published."""

import sqlalchemy as sa
from alembic import op

from app.core.database.partial_index import where

revision = "tasks_0002"
down_revision = "tasks_0001"
branch_labels = None
depends_on = None

PENDING = "due_at IS NOT NULL AND status <> 'done' AND (overdue_for IS NULL OR overdue_for <> due_at)"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("overdue_for", sa.DateTime(timezone=True)))
    op.create_index("idx_tasks_overdue", "tasks", ["due_at"], **where(PENDING))


def downgrade() -> None:
    op.drop_index("idx_tasks_overdue", "tasks")
    op.drop_column("tasks", "overdue_for")
