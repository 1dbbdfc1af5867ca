"""Jobs, their files, and the lines that an import has refused."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
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
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("idx_jobs_user_id", "jobs", ["user_id", "id"])
    op.create_index("idx_jobs_state_due", "jobs", ["state", "due_at"])
    op.create_index("idx_jobs_unique_key", "jobs", ["unique_key"], unique=True)
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


def downgrade() -> None:
    for table in ("job_refused_lines", "job_files", "jobs"):
        op.drop_table(table)
