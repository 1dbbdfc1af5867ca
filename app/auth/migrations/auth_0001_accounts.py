"""Accounts, sessions, password resets and the audit log.

A database of the former single history (app/migrations/versions) has these tables already and keeps them.
"""

import sqlalchemy as sa
from alembic import op

from app.core.database.partial_index import where

revision = "auth_0001"
down_revision = None
branch_labels = ("auth",)
depends_on = None

TIME = sa.DateTime(timezone=True)

# Append-only: even the application's own role can't rewrite the log without changing the schema.
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
    if sa.inspect(op.get_bind()).has_table("users"):
        return
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
    op.create_index("idx_audit_log_action_at_id", "audit_log", ["action", "at", "id"])
    op.create_index("idx_audit_log_actor_id_at_id", "audit_log", ["actor_id", "at", "id"])
    op.create_index("idx_audit_log_at_id", "audit_log", ["at", "id"])
    op.create_index("idx_audit_log_subject_id", "audit_log", ["subject_id", "id"])
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("role", sa.String(20), server_default="user", nullable=False),
        sa.Column("disabled_at", TIME),
        sa.Column("avatar_id", sa.Uuid),
        sa.Column("verified_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_index("idx_users_email", "users", ["email"], unique=True)
    op.create_table(
        "password_resets",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_password_resets_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_password_resets"),
    )
    op.create_index("idx_password_resets_expires_at", "password_resets", ["expires_at"])
    op.create_index("idx_password_resets_user_id", "password_resets", ["user_id"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("idx_sessions_last_used_at", "sessions", ["last_used_at"])
    op.create_index("idx_sessions_revoked_at", "sessions", ["revoked_at"], **where("revoked_at IS NOT NULL"))
    op.create_index("idx_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_refresh_tokens_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_refresh_tokens"),
    )
    op.create_index("idx_refresh_tokens_expires_at", "refresh_tokens", ["expires_at"])
    op.create_index("idx_refresh_tokens_session_id", "refresh_tokens", ["session_id"])
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("refresh_tokens", "sessions", "password_resets", "users", "audit_log"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")
