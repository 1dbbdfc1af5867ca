"""Task facts and daily counts.

A database of the former single history (app/migrations/versions) has these tables already and keeps them.
"""

import sqlalchemy as sa
from alembic import op

from app.core.database.partial_index import where

revision = "analytics_0001"
down_revision = None
branch_labels = ("analytics",)
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("task_facts"):
        return
    op.create_table(
        "daily_counts",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
        sa.Column("completed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "day", name="pk_daily_counts"),
    )
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
    op.create_index("idx_task_facts_deleted_at", "task_facts", ["deleted_at"], **where("deleted_at IS NOT NULL"))
    op.create_index("idx_task_facts_user_completed", "task_facts", ["user_id", "completed_on"])
    op.create_index("idx_task_facts_user_created", "task_facts", ["user_id", "created_on"])
    op.create_index(
        "idx_task_facts_user_status", "task_facts", ["user_id", "status", "due_at"], **where("deleted_at IS NULL")
    )


def downgrade() -> None:
    for table in ("task_facts", "daily_counts"):
        op.drop_table(table)
