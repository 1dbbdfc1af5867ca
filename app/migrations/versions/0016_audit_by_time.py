"""The audit log by time: of everybody, of one who acted, and of one action."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BEFORE = {
    "idx_audit_log_at": ["at"],
    "idx_audit_log_actor_id": ["actor_id"],
    "idx_audit_log_action": ["action", "id"],
}
AFTER = {
    "idx_audit_log_at_id": ["at", "id"],
    "idx_audit_log_actor_id_at_id": ["actor_id", "at", "id"],
    "idx_audit_log_action_at_id": ["action", "at", "id"],
}


def upgrade() -> None:
    _replace(BEFORE, AFTER)


def downgrade() -> None:
    _replace(AFTER, BEFORE)


def _replace(old: dict[str, list[str]], new: dict[str, list[str]]) -> None:
    for name, columns in new.items():
        op.create_index(name, "audit_log", columns)
    for name in old:
        op.drop_index(name, "audit_log")
