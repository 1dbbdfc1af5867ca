"""What is done in a service's own database once it has moved: it is marked as complete, and cleared of others' rows."""

import time

from sqlalchemy import Connection, Engine, text

from app.core.database.migrate import LOCK
from app.core.database_split.share import ServiceShare
from app.core.sqlite_migration.completion import is_complete, mark_complete

BATCH = 500
"""Rows that one transaction deletes."""


def take_over(source: Engine, target: Engine, share: ServiceShare, rows: int, not_before: float = 0.0) -> None:
    """Make the database ready for its servers, in one transaction that marks it as complete.

    Args:
        source: the former database, which has marked the service as moved.
        target: the service's own.
        share: what has moved.
        rows: how many rows.
        not_before: monotonic time of the commit.
    """
    with target.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if is_complete(connection):
            return
        if not share.has_sessions:
            _add_ended_sessions(source, connection)
        if share.files:
            # Files of uploads under way are the former release's to delete: they may belong to another service.
            connection.exec_driver_sql("DELETE FROM objects WHERE loose_from IS NOT NULL")
        # No worker of the former release can go on with a job: it need not wait for the end of the lease.
        connection.exec_driver_sql(
            "UPDATE jobs SET state = 'queued', due_at = now(), lease = NULL WHERE state = 'running'"
        )
        connection.exec_driver_sql("UPDATE jobs SET announced_at = NULL WHERE state = 'queued'")
        time.sleep(max(0.0, not_before - time.monotonic()))
        mark_complete(connection, rows)


def clear(target: Engine, share: ServiceShare) -> int:
    """Delete rows of other services that came along, in batches; return their number."""
    return sum(_in_batches(target, table, key, condition) for table, key, condition in _foreign(share))


def _foreign(share: ServiceShare) -> list[tuple[str, str, str]]:
    if share.files is None:
        return []
    referred = f"SELECT FROM {share.files.table} r WHERE r.{share.files.column} = t.key"
    return [
        ("objects", "key", f"t.loose_from IS NULL AND NOT EXISTS ({referred})"),
        ("object_pieces", "key", "NOT EXISTS (SELECT FROM objects o WHERE o.key = t.key)"),
        # Of an upload that has begun since, the job comes last.
        (
            "job_files",
            "job_id",
            "t.at < (SELECT at FROM carried) AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = t.job_id)",
        ),
    ]


def _in_batches(target: Engine, table: str, key: str, condition: str) -> int:
    chosen = f"SELECT DISTINCT t.{key} FROM {table} t WHERE {condition} LIMIT {BATCH}"
    deleted = 0
    while True:
        with target.begin() as connection:
            count = connection.exec_driver_sql(
                f"DELETE FROM {table} t WHERE t.{key} IN ({chosen}) AND {condition}"
            ).rowcount
        if not count:
            return deleted
        deleted += count


def _add_ended_sessions(source: Engine, target: Connection) -> None:
    """Add the sessions that have ended lately: a service without sessions hears of their ends by events only."""
    found = text(
        "SELECT payload ->> 'session_id' AS id, payload ->> 'tokens_expire_at' AS expiry FROM outbox"
        " WHERE name = 'session.ended' AND CAST(payload ->> 'tokens_expire_at' AS timestamptz) > now()"
    )
    with source.connect() as connection:
        ended = [{"id": row.id, "expiry": row.expiry} for row in connection.execute(found)]
    if ended:
        added = "INSERT INTO ended_sessions (session_id, tokens_expire_at) VALUES (:id, :expiry) ON CONFLICT DO NOTHING"
        target.execute(text(added), ended)
