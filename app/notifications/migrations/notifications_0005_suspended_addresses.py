"""Addresses to which no mail goes any more."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0005"
down_revision = "notifications_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recipients", sa.Column("suspended_email", sa.String(254)))
    op.add_column("recipients", sa.Column("suspended_reason", sa.String(100)))
    op.create_index("idx_recipients_email", "recipients", ["email"])


def downgrade() -> None:
    op.drop_index("idx_recipients_email", "recipients")
    for column in ("suspended_reason", "suspended_email"):
        op.drop_column("recipients", column)
