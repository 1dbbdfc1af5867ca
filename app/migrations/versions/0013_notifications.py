"""Notifications, what each user wants of them, and where their mails go: of the accounts that there are, too."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
UNREAD = sa.text("read_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("read_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    op.create_index("idx_notifications_user_id", "notifications", ["user_id", "id"])
    op.create_index(
        "idx_notifications_unread", "notifications", ["user_id"], postgresql_where=UNREAD, sqlite_where=UNREAD
    )
    op.create_index("idx_notifications_created_at", "notifications", ["created_at"])
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("reminder_mails", sa.Boolean, nullable=False),
        sa.Column("weekly_report", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_notification_preferences"),
    )
    op.create_table(
        "recipients",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_recipients"),
    )
    # As of the accounts' beginning, so that whatever is told of them from now on is later.
    op.execute("INSERT INTO recipients (user_id, email, name, at) SELECT id, email, name, created_at FROM users")


def downgrade() -> None:
    for table in ("recipients", "notification_preferences", "notifications"):
        op.drop_table(table)
