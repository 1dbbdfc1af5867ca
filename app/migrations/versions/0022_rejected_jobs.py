"""Which failed jobs were rejected for their input: their users mend them, and no operator has to look.

A column with a server default: nothing is rewritten, and the release before need not know it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("rejected", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as changed:
        changed.drop_column("rejected")
