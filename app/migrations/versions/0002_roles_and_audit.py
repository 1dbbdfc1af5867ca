"""Roles, locked accounts, and the log of what administrators do."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

# The log only grows: whoever has the application's own access can't rewrite it either, short of changing the schema.
POSTGRESQL = (
    """
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$
    """,
    """
    CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
)
SQLITE = tuple(
    f"CREATE TRIGGER audit_log_no_{event.lower()} BEFORE {event} ON audit_log"
    " BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
    for event in ("UPDATE", "DELETE")
)


def upgrade() -> None:
    op.add_column("users", sa.Column("role", sa.String(20), nullable=False, server_default="user"))
    op.add_column("users", sa.Column("disabled_at", TIME))
    op.add_column("sessions", sa.Column("last_used_at", TIME))
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("remote", sa.String(64), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("idx_audit_log_actor_id", "audit_log", ["actor_id"])
    op.create_index("idx_audit_log_at", "audit_log", ["at"])
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")
    for table, column in (("sessions", "last_used_at"), ("users", "disabled_at"), ("users", "role")):
        op.drop_column(table, column)
