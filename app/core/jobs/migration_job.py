"""Jobs that a migration queues, to rewrite or publish rows in batches once the rollout has ended."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa

AFTER_THE_ROLLOUT = timedelta(minutes=15)
"""Until then pods of the former release may still be running, which know no such job and write rows the former way."""

TIME = sa.DateTime(timezone=True)

# Not the model: the columns that the table has had since its first revision, whatever the model has today.
JOBS = sa.table(
    "jobs",
    sa.column("id", sa.Uuid),
    sa.column("kind"),
    sa.column("state"),
    sa.column("parameters", sa.JSON),
    sa.column("checkpoint", sa.JSON),
    sa.column("done"),
    sa.column("refused"),
    sa.column("attempts"),
    sa.column("cancelling", sa.Boolean),
    sa.column("created_at", TIME),
    sa.column("due_at", TIME),
    sa.column("unique_key"),
)


def queue_after_rollout(connection: sa.Connection, kind: str, unique_key: str, rows_of: str) -> None:
    """Queue a job, due after the rollout, unless there is nothing for it to do.

    Args:
        connection: the migration's.
        kind: of the job.
        unique_key: of the job.
        rows_of: table whose rows the job goes through; if it is empty, no job is queued.
    """
    table = sa.table(rows_of)
    if not connection.scalar(sa.select(sa.exists(sa.select(sa.literal(1)).select_from(table)))):
        return
    now = datetime.now(UTC)
    row = {
        "id": uuid4(),
        "kind": kind,
        "state": "queued",
        "parameters": {},
        "checkpoint": {},
        "done": 0,
        "refused": 0,
        "attempts": 0,
        "cancelling": False,
        "created_at": now,
        "due_at": now + AFTER_THE_ROLLOUT,
        "unique_key": unique_key,
    }
    connection.execute(sa.insert(JOBS).values(row))
