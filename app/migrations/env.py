"""Alembic environment, on the connection and for the branches that `app.core.database.migrate` hands over."""

from typing import Any

from alembic import context

attributes = context.config.attributes
connection = attributes["connection"]


def comparable(_item: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """Leave out of comparisons what SQLite can't tell about itself, that an index is read downwards, and what belongs
    to other branches."""
    if kind == "table" and reflected:
        return any(name in metadata.tables for metadata in attributes["metadata"])
    return not (connection.dialect.name == "sqlite" and kind == "index" and name == "idx_tasks_created_at")


context.configure(
    connection=connection,
    target_metadata=attributes["metadata"] or None,
    version_table=attributes["version_table"],
    transactional_ddl=True,
    # SQLite changes a column by copying its table.
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    include_object=comparable,
)
with context.begin_transaction():
    context.run_migrations()
