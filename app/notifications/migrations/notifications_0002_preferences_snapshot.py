"""A job that publishes all preferences, for services with a projection of them, after the rollout.

The previous release changes preferences without an event.
"""

from alembic import op

from app.core.jobs.migration_job import queue_after_rollout

revision = "notifications_0002"
down_revision = "notifications_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    queue_after_rollout(
        op.get_bind(),
        "preferences-snapshot",
        "preferences-snapshot:analytics",
        rows_of="notification_preferences",
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'preferences-snapshot'")
