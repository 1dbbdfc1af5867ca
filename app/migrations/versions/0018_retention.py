"""Indexes by which rows whose time is over are found; and when a session was last used, where no release said it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE sessions SET last_used_at = created_at WHERE last_used_at IS NULL")
    op.create_index("idx_sessions_last_used_at", "sessions", ["last_used_at"])
    _partial("idx_sessions_revoked_at", "sessions", "revoked_at", "revoked_at IS NOT NULL")
    _partial("idx_jobs_finished_at", "jobs", "finished_at", "finished_at IS NOT NULL")
    _partial("idx_failed_deliveries_dead", "failed_deliveries", "at", "due_at IS NULL")


def downgrade() -> None:
    op.drop_index("idx_failed_deliveries_dead", "failed_deliveries")
    op.drop_index("idx_jobs_finished_at", "jobs")
    op.drop_index("idx_sessions_revoked_at", "sessions")
    op.drop_index("idx_sessions_last_used_at", "sessions")


def _partial(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], postgresql_where=where, sqlite_where=where)
