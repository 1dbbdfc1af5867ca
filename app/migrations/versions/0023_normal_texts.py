"""A job that brings texts and tags to their normal form, once the release that writes others has gone."""

from alembic import op

from app.core.jobs.migration_job import queue_after_rollout

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # It holds no lock for longer than a batch takes.
    queue_after_rollout(op.get_bind(), "normalise", "normalise:texts", rows_of="tasks")


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'normalise'")
