"""Files, and attachments of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
LOOSE = sa.text("loose_from IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "objects",
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("loose_from", TIME),
        sa.PrimaryKeyConstraint("key", name="pk_objects"),
    )
    op.create_index("idx_objects_loose_from", "objects", ["loose_from"], postgresql_where=LOOSE, sqlite_where=LOOSE)
    op.create_table(
        "object_pieces",
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("key", "position", name="pk_object_pieces"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("idx_attachments_task_id", "attachments", ["task_id", "id"])
    op.create_table(
        "attachment_usage",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_attachment_usage"),
    )
    op.add_column("tasks", sa.Column("attachments", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_column("attachments")
    for table in ("attachment_usage", "attachments", "object_pieces", "objects"):
        op.drop_table(table)
