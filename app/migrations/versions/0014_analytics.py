"""What is known of tasks, for statistics; and a job that tells of the tasks that are there already."""

import sqlalchemy as sa
from alembic import op

from app.core.jobs.migration_job import queue_after_rollout

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
THERE = sa.text("deleted_at IS NULL")
GONE = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "task_facts",
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("completed_version", sa.Integer, nullable=False),
        sa.Column("completed_at", TIME),
        sa.Column("deleted_at", TIME),
        sa.Column("created_on", sa.Date, nullable=False),
        sa.Column("completed_on", sa.Date),
        sa.Column("seconds_to_completion", sa.BigInteger),
        sa.PrimaryKeyConstraint("task_id", name="pk_task_facts"),
    )
    op.create_index("idx_task_facts_user_created", "task_facts", ["user_id", "created_on"])
    op.create_index("idx_task_facts_user_completed", "task_facts", ["user_id", "completed_on"])
    status = ["user_id", "status", "due_at"]
    op.create_index("idx_task_facts_user_status", "task_facts", status, postgresql_where=THERE, sqlite_where=THERE)
    op.create_index("idx_task_facts_deleted_at", "task_facts", ["deleted_at"], postgresql_where=GONE, sqlite_where=GONE)
    op.create_table(
        "daily_counts",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
        sa.Column("completed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "day", name="pk_daily_counts"),
    )
    # It fills the new table a batch at a time, from events as ever: no lock is held meanwhile.
    queue_after_rollout(op.get_bind(), "snapshot", "snapshot:analytics", rows_of="tasks")


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'snapshot'")
    op.drop_table("daily_counts")
    op.drop_table("task_facts")
