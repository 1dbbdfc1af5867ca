"""A job that publishes all preferences, for services with a projection of them, after the rollout.

The previous release changes preferences without an event.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "notifications_0002"
down_revision = "notifications_0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

AFTER_THE_ROLLOUT = timedelta(minutes=15)
"""Until then pods of the previous release may still be running."""

JOBS = sa.table(
    "jobs",
    sa.column("id", sa.Uuid),
    sa.column("kind"),
    sa.column("state"),
    sa.column("parameters", sa.JSON),
    sa.column("checkpoint", sa.JSON),
    sa.column("done"),
    sa.column("refused"),
    sa.column("attempts"),
    sa.column("cancelling", sa.Boolean),
    sa.column("created_at", TIME),
    sa.column("due_at", TIME),
    sa.column("unique_key"),
)


def upgrade() -> None:
    connection = op.get_bind()
    if not connection.scalar(sa.text("SELECT EXISTS (SELECT 1 FROM notification_preferences)")):
        return
    now = datetime.now(UTC)
    row = {
        "id": uuid4(),
        "kind": "preferences-snapshot",
        "state": "queued",
        "parameters": {},
        "checkpoint": {},
        "done": 0,
        "refused": 0,
        "attempts": 0,
        "cancelling": False,
        "created_at": now,
        "due_at": now + AFTER_THE_ROLLOUT,
        "unique_key": "preferences-snapshot:analytics",
    }
    connection.execute(sa.insert(JOBS).values(row))


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'preferences-snapshot'")
