"""Telephone numbers."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0004"
down_revision = "notifications_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "phone_numbers",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("suspended", sa.String(100)),
        sa.Column("code_id", sa.Uuid),
        sa.Column("code_expires_at", sa.DateTime(timezone=True)),
        sa.Column("code_tries", sa.SmallInteger, nullable=False),
        sa.Column("code_sent", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_phone_numbers"),
    )


def downgrade() -> None:
    op.drop_table("phone_numbers")
