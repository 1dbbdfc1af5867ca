"""Which reminders have been told."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SET = sa.text("remind_at IS NOT NULL")
TO_COME = sa.text("remind_at IS NOT NULL AND status <> 'done' AND (reminded_for IS NULL OR reminded_for <> remind_at)")


def upgrade() -> None:
    op.add_column("tasks", sa.Column("reminded_for", sa.DateTime(timezone=True)))
    op.drop_index("idx_tasks_remind_at", "tasks")
    op.create_index("idx_tasks_reminders", "tasks", ["remind_at"], postgresql_where=TO_COME, sqlite_where=TO_COME)


def downgrade() -> None:
    op.drop_index("idx_tasks_reminders", "tasks")
    op.create_index("idx_tasks_remind_at", "tasks", ["remind_at"], postgresql_where=SET, sqlite_where=SET)
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_column("reminded_for")
