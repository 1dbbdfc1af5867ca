"""Users whose accounts are deleted, so that nothing that comes late brings their data back."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deleted_users",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_deleted_users"),
    )
    op.create_index("idx_deleted_users_at", "deleted_users", ["at"])


def downgrade() -> None:
    op.drop_table("deleted_users")
