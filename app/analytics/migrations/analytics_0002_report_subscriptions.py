"""Subscriptions of the weekly report, a projection of the notifications service's preferences.

In a database shared with that service, existing preferences are copied here; changes while the previous release still
runs arrive by the job that `notifications_0002` queues.
"""

import sqlalchemy as sa
from alembic import op

revision = "analytics_0002"
down_revision = "analytics_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_subscriptions",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("subscribed", sa.Boolean, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_report_subscriptions"),
    )
    if sa.inspect(op.get_bind()).has_table("notification_preferences"):
        op.execute(
            "INSERT INTO report_subscriptions (user_id, subscribed, at)"
            " SELECT user_id, weekly_report, CURRENT_TIMESTAMP FROM notification_preferences"
        )


def downgrade() -> None:
    op.drop_table("report_subscriptions")
