"""When somebody wants to be reminded of a task."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("remind_at", sa.DateTime(timezone=True)))
    op.create_index(
        "idx_tasks_remind_at",
        "tasks",
        ["remind_at"],
        postgresql_where=sa.text("remind_at IS NOT NULL"),
        sqlite_where=sa.text("remind_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("idx_tasks_remind_at", "tasks")
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_column("remind_at")
