"""Table of ended sessions, for services without the auth service's tables."""

import sqlalchemy as sa
from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ended_sessions",
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("tokens_expire_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_ended_sessions"),
    )
    op.create_index("idx_ended_sessions_tokens_expire_at", "ended_sessions", ["tokens_expire_at"])


def downgrade() -> None:
    op.drop_table("ended_sessions")
