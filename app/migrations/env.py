"""Alembic environment, for the connection and branches given by `app.core.database.migrate`."""

from typing import Any

from alembic import context

attributes = context.config.attributes
connection = attributes["connection"]


def comparable(_item: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """Exclude from comparisons tables of other branches, and the descending index, which SQLite does not reflect."""
    if kind == "table" and reflected:
        return any(name in metadata.tables for metadata in attributes["metadata"])
    return not (connection.dialect.name == "sqlite" and kind == "index" and name == "idx_tasks_created_at")


context.configure(
    connection=connection,
    target_metadata=attributes["metadata"] or None,
    version_table=attributes["version_table"],
    transactional_ddl=True,
    # On SQLite a change of a column copies the table.
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    include_object=comparable,
)
with context.begin_transaction():
    context.run_migrations()
