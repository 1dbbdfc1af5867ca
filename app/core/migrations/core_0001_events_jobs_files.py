"""Tables that every database has: outbox, inbox, jobs, files, idempotency keys, user versions.

A database of the single history before it (see app/migrations/versions) has these tables already, and keeps them.
"""

import sqlalchemy as sa
from alembic import op

from app.core.database.partial_index import where

revision = "core_0001"
down_revision = None
branch_labels = ("core",)
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("outbox"):
        return
    op.create_table(
        "deleted_users",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_deleted_users"),
    )
    op.create_index("idx_deleted_users_at", "deleted_users", ["at"])
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
        sa.Column("traceparent", sa.String(55)),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="pk_failed_deliveries"),
    )
    op.create_index("idx_failed_deliveries_dead", "failed_deliveries", ["at"], **where("due_at IS NULL"))
    op.create_index("idx_failed_deliveries_due_at", "failed_deliveries", ["due_at"])
    op.create_table(
        "handled_events",
        sa.Column("consumer", sa.String(40), nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="pk_handled_events"),
    )
    op.create_index("idx_handled_events_at", "handled_events", ["at"])
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index("idx_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    op.create_table(
        "job_files",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "name", "position", name="pk_job_files"),
    )
    op.create_index("idx_job_files_at", "job_files", ["at"])
    op.create_table(
        "job_refused_lines",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("text", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "line", name="pk_job_refused_lines"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("checkpoint", sa.JSON, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cancelling", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("error", sa.String(500)),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("announced_at", TIME),
        sa.Column("lease", sa.Uuid),
        sa.Column("unique_key", sa.String(100)),
        sa.Column("traceparent", sa.String(55)),
        sa.Column("rejected", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("idx_jobs_finished_at", "jobs", ["finished_at"], **where("finished_at IS NOT NULL"))
    op.create_index("idx_jobs_state_due", "jobs", ["state", "due_at"])
    op.create_index("idx_jobs_unique_key", "jobs", ["unique_key"], unique=True)
    op.create_index("idx_jobs_user_id", "jobs", ["user_id", "id"])
    op.create_table(
        "object_pieces",
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("key", "position", name="pk_object_pieces"),
    )
    op.create_table(
        "objects",
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("loose_from", TIME),
        sa.PrimaryKeyConstraint("key", name="pk_objects"),
    )
    op.create_index("idx_objects_loose_from", "objects", ["loose_from"], **where("loose_from IS NOT NULL"))
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("at", TIME, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("carried_at", TIME),
        sa.Column("traceparent", sa.String(55)),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("idx_outbox_carried_at", "outbox", ["carried_at"])
    op.create_index("idx_outbox_waiting", "outbox", ["id"], **where("carried_at IS NULL"))
    op.create_table(
        "user_versions",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_versions"),
    )


def downgrade() -> None:
    for table in (
        "user_versions",
        "outbox",
        "objects",
        "object_pieces",
        "jobs",
        "job_refused_lines",
        "job_files",
        "idempotency_keys",
        "handled_events",
        "failed_deliveries",
        "deleted_users",
    ):
        op.drop_table(table)
