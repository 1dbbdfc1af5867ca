"""Avatars: which file an account shows."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("avatar_id", sa.Uuid))


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.drop_column("avatar_id")
