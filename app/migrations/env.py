"""Alembic environment, on the connection that `app.core.database.migrate` hands over."""

from typing import Any

from alembic import context

from app.bootstrap.tables import METADATA

connection = context.config.attributes["connection"]


def comparable(_item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Leave out of comparisons what SQLite can't tell about itself: that an index is read downwards."""
    return not (connection.dialect.name == "sqlite" and kind == "index" and name == "idx_tasks_created_at")


context.configure(
    connection=connection,
    target_metadata=METADATA,
    transactional_ddl=True,
    # SQLite changes a column by copying its table.
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    include_object=comparable,
)
with context.begin_transaction():
    context.run_migrations()
