"""Which e-mail addresses are verified.

Of the accounts that there are, those whose password was reset by a mail, which the audit log tells. The others verify
theirs as new ones do. The columns have defaults: the former release need not know them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("verified_at", sa.DateTime(timezone=True)))
    op.add_column("recipients", sa.Column("verified", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE users SET verified_at = proofs.at FROM (SELECT subject_id, MIN(at) AS at FROM audit_log"
        " WHERE action = 'password.reset' GROUP BY subject_id) AS proofs WHERE users.id = proofs.subject_id"
    )
    op.execute(
        "UPDATE recipients SET verified = true WHERE user_id IN (SELECT id FROM users WHERE verified_at IS NOT NULL)"
    )


def downgrade() -> None:
    for table, column in (("recipients", "verified"), ("users", "verified_at")):
        with op.batch_alter_table(table) as changed:
            changed.drop_column(column)
