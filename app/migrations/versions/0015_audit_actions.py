"""The audit log of one action, found by an index."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("idx_audit_log_action", "audit_log", ["action", "id"])


def downgrade() -> None:
    op.drop_index("idx_audit_log_action", "audit_log")
