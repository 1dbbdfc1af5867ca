"""Events that wait to be told, and which of them have been handled."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("at", TIME, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_table(
        "handled_events",
        sa.Column("consumer", sa.String(40), nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="pk_handled_events"),
    )
    op.create_index("idx_handled_events_at", "handled_events", ["at"])


def downgrade() -> None:
    op.drop_table("handled_events")
    op.drop_table("outbox")
