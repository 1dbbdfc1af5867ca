"""Tasks, tags and attachments.

A database of the former single history (app/migrations/versions) has these tables already and keeps them.
"""

import sqlalchemy as sa
from alembic import op

from app.core.database.partial_index import where

revision = "tasks_0001"
down_revision = None
branch_labels = ("tasks",)
depends_on = None

TIME = sa.DateTime(timezone=True)
BINARY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("tasks"):
        return
    op.create_table(
        "attachment_usage",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_attachment_usage"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("idx_attachments_task_id", "attachments", ["task_id", "id"])
    op.create_index("idx_attachments_user_id", "attachments", ["user_id", "id"])
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("remind_at", TIME),
        sa.Column("reminded_for", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("attachments", sa.Integer, server_default="0", nullable=False),
        sa.Column("title_key", BINARY_TEXT, nullable=False),
        sa.Column("search_text", sa.Text, nullable=False),
        sa.CheckConstraint("status IN ('todo', 'in_progress', 'done')", name="ck_tasks_status"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("idx_tasks_created_at", "tasks", [sa.text("created_at DESC")])
    op.create_index(
        "idx_tasks_reminders",
        "tasks",
        ["remind_at"],
        **where("remind_at IS NOT NULL AND status <> 'done' AND (reminded_for IS NULL OR reminded_for <> remind_at)"),
    )
    op.create_index("idx_tasks_status", "tasks", ["status"])
    op.create_index("idx_tasks_user_created", "tasks", ["user_id", "created_at", "id"])
    op.create_index("idx_tasks_user_due", "tasks", ["user_id", "due_at", "id"])
    op.create_index("idx_tasks_user_id", "tasks", ["user_id"])
    op.create_index("idx_tasks_user_status", "tasks", ["user_id", "status"])
    op.create_index("idx_tasks_user_title", "tasks", ["user_id", "title_key", "id"])
    op.create_index("idx_tasks_user_updated", "tasks", ["user_id", "updated_at", "id"])
    op.create_table(
        "task_tags",
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("tag", BINARY_TEXT, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_tags_task_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "tag", name="pk_task_tags"),
    )
    op.create_index("idx_task_tags_user_tag", "task_tags", ["user_id", "tag", "task_id"])


def downgrade() -> None:
    for table in ("task_tags", "tasks", "attachments", "attachment_usage"):
        op.drop_table(table)
