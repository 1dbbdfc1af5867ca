"""Kinds and channels of notifications, quiet hours, and deliveries.

The former release goes on writing its columns during the rollout; the new ones have defaults.
"""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0003"
down_revision = "notifications_0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("notifications", sa.Column("event_kind", sa.String(20)))
    op.add_column("notifications", sa.Column("in_app", sa.Boolean, server_default=sa.true(), nullable=False))
    op.add_column(
        "notification_preferences", sa.Column("time_zone", sa.String(64), server_default="UTC", nullable=False)
    )
    op.add_column("notification_preferences", sa.Column("quiet_start", sa.SmallInteger))
    op.add_column("notification_preferences", sa.Column("quiet_end", sa.SmallInteger))
    op.create_table(
        "notification_channels",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", "channel", name="pk_notification_channels"),
    )
    op.create_table(
        "notification_deliveries",
        sa.Column("notification_id", sa.Uuid, nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(100)),
        sa.Column("decided_at", TIME),
        sa.Column("provider_id", sa.String(100)),
        sa.PrimaryKeyConstraint("notification_id", "channel", name="pk_notification_deliveries"),
    )
    op.create_index("idx_notification_deliveries_user", "notification_deliveries", ["user_id", "channel", "decided_at"])
    op.create_index("idx_notification_deliveries_created_at", "notification_deliveries", ["created_at"])
    op.create_index("idx_notification_deliveries_decided_at", "notification_deliveries", ["decided_at"])


def downgrade() -> None:
    op.drop_table("notification_deliveries")
    op.drop_table("notification_channels")
    for column in ("quiet_end", "quiet_start", "time_zone"):
        op.drop_column("notification_preferences", column)
    for column in ("in_app", "event_kind"):
        op.drop_column("notifications", column)
