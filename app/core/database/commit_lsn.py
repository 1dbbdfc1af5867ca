"""Connection that returns the commit LSN, for read-your-writes on replicas."""

from contextlib import suppress

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_INTRANS

from app.core.database.deadlines import DeadlineConnection

POSITION = """
    SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()
                 ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn)::bigint
"""
"""An upper bound of the commit's LSN: the flush position, since a COMMIT is acknowledged once its WAL is flushed
(unless `synchronous_commit` is off). Not the insert position in general: it also covers unflushed WAL of others, which
a crash of the primary loses; no replica would ever replay that far, and reads would wait for the next primary."""

# One message, so that a commit is never acknowledged without its LSN. The driver still believes itself in a
# transaction, hence the empty one.
COMMIT = f"COMMIT; BEGIN READ ONLY; {POSITION}"


class LsnConnection(DeadlineConnection):
    """A connection to the primary that reads the LSN with each COMMIT.

    Attributes:
        position: LSN after the last COMMIT, in bytes.
    """

    position: int | None = None

    def commit(self) -> None:
        """Commit and read the LSN. Raises psycopg2.Error, as any commit does, if the COMMIT is not acknowledged."""
        if self.info.transaction_status != TRANSACTION_STATUS_INTRANS:
            super().commit()
            return
        with self.cursor() as cursor:
            cursor.execute(COMMIT)
            [(self.position,)] = cursor.fetchall()
        # A failure here means that the connection is lost; its next use detects that.
        with suppress(psycopg2.Error):
            super().commit()
