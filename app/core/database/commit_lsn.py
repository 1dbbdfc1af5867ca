"""Connection that returns the commit LSN, for read-your-writes on replicas."""

from contextlib import suppress

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_INTRANS

from app.core.database.deadlines import DeadlineConnection

POSITION = """
    SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()
                 ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn)::bigint
"""
"""What is stored lies before it: a COMMIT has an answer once its log has been flushed, unless somebody has set that
off. How far the log is written lies farther, and what others have begun there dies with a primary: no replica would
ever be there, and a read would wait for the next primary."""

# In one message, so that nobody is left who knows that it is stored and not where. The driver takes itself to be within
# a transaction still, hence one that does nothing.
COMMIT = f"COMMIT; BEGIN READ ONLY; {POSITION}"


class LsnConnection(DeadlineConnection):
    """A connection to the primary.

    Attributes:
        position: how far the log reached after the last COMMIT.
    """

    position: int | None = None

    def commit(self) -> None:
        """Commit. Raises psycopg2.Error, as any commit does, unless what was written is stored."""
        if self.info.transaction_status != TRANSACTION_STATUS_INTRANS:
            super().commit()
            return
        with self.cursor() as cursor:
            cursor.execute(COMMIT)
            [(self.position,)] = cursor.fetchall()
        # Where this fails the connection is gone, which its next use finds out.
        with suppress(psycopg2.Error):
            super().commit()
