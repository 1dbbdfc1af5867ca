"""Which events have been carried on, and which a consumer has failed to handle."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
WAITING = sa.text("carried_at IS NULL")


def upgrade() -> None:
    op.add_column("outbox", sa.Column("carried_at", TIME))
    op.create_index("idx_outbox_waiting", "outbox", ["id"], postgresql_where=WAITING, sqlite_where=WAITING)
    op.create_index("idx_outbox_carried_at", "outbox", ["carried_at"])
    op.create_table(
        "failed_deliveries",
        sa.Column("consumer", sa.String(40), nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("at", TIME, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("error", sa.String(100), nullable=False),
        sa.Column("due_at", TIME),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="pk_failed_deliveries"),
    )
    op.create_index("idx_failed_deliveries_due_at", "failed_deliveries", ["due_at"])


def downgrade() -> None:
    op.drop_table("failed_deliveries")
    for index in ("idx_outbox_carried_at", "idx_outbox_waiting"):
        op.drop_index(index, "outbox")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("carried_at")
