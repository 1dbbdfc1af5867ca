"""What a copy of a user's data is read by: the attachments of a user, and what was done to an account."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("idx_attachments_user_id", "attachments", ["user_id", "id"])
    op.create_index("idx_audit_log_subject_id", "audit_log", ["subject_id", "id"])


def downgrade() -> None:
    op.drop_index("idx_audit_log_subject_id", "audit_log")
    op.drop_index("idx_attachments_user_id", "attachments")
