"""A job that brings texts and tags to their normal form, once the release that writes others has gone."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

AFTER_THE_ROLLOUT = timedelta(minutes=15)
"""Until then the release before may still be running: it knows no such job, and stores texts as they were typed."""

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
    """Queue the job, which holds no lock for longer than a batch takes. Without tasks there is nothing to be done."""
    connection = op.get_bind()
    if not connection.scalar(sa.text("SELECT EXISTS (SELECT 1 FROM tasks)")):
        return
    now = datetime.now(UTC)
    row = {
        "id": uuid4(),
        "kind": "normalise",
        "state": "queued",
        "parameters": {},
        "checkpoint": {},
        "done": 0,
        "refused": 0,
        "attempts": 0,
        "cancelling": False,
        "created_at": now,
        "due_at": now + AFTER_THE_ROLLOUT,
        "unique_key": "normalise:texts",
    }
    connection.execute(sa.insert(JOBS).values(row))


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'normalise'")
