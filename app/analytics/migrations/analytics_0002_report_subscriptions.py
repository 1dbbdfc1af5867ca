"""Who wants the weekly report: a copy of what the notifications service knows, kept up by its events.

Where that service has the same database, what users have chosen before is copied now; what they choose while the
former release still runs comes with the job that `notifications_0002` queues.
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
