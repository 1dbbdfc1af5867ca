"""Which trace a job or an event belongs to: the process that does the one or handles the other is another one.

Columns that may be empty and have no default: nothing is rewritten, and the release before need not know them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = ("jobs", "outbox", "failed_deliveries")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("traceparent", sa.String(55)))


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as changed:
            changed.drop_column("traceparent")
