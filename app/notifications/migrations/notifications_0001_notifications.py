"""Notifications, preferences and recipients.

A database of the former single history (app/migrations/versions) has these tables already and keeps them.
"""

import sqlalchemy as sa
from alembic import op

from app.core.database.partial_index import where

revision = "notifications_0001"
down_revision = None
branch_labels = ("notifications",)
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("notifications"):
        return
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("reminder_mails", sa.Boolean, nullable=False),
        sa.Column("weekly_report", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_notification_preferences"),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("read_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    op.create_index("idx_notifications_created_at", "notifications", ["created_at"])
    op.create_index("idx_notifications_unread", "notifications", ["user_id"], **where("read_at IS NULL"))
    op.create_index("idx_notifications_user_id", "notifications", ["user_id", "id"])
    op.create_table(
        "recipients",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("verified", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_recipients"),
    )


def downgrade() -> None:
    for table in ("recipients", "notifications", "notification_preferences"):
        op.drop_table(table)
