"""Switch of a service to its own database: one commit in the former one, after which nothing is written there.

While the fence is closed, what is left of the changes arrives, and every table is compared. The commit that marks the
service as moved is made by the session that holds the fence: if that session is lost, nothing has happened. Then the
new database is told that it is complete, when every server of the former release knows of the move.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.core.database.errors import sqlstate
from app.core.database_split import fence
from app.core.database_split.checksums import compare
from app.core.database_split.errors import PauseTooLongError, SplitError
from app.core.database_split.moved_services import KNOWN_AFTER
from app.core.database_split.publication import LOCK_NOT_AVAILABLE
from app.core.database_split.share import ServiceShare
from app.core.database_split.subscription import wait
from app.core.database_split.take_over import take_over
from app.core.sqlite_migration.completion import is_complete

PAUSE = 5.0
"""Seconds for which the writes of the service are refused at most."""

RESERVE = 0.5
"""Seconds of the pause that are left for the commit and what follows it."""

WRITERS = 2.0
"""Seconds to wait for transactions that write."""

SIDE_EFFECTS = 30.0
"""Seconds to wait for running jobs with side effects, which would be repeated: the writes go on meanwhile."""

POLL = 0.02
"""Seconds between two looks at the subscription, in the pause."""

TIMEOUTS = frozenset({LOCK_NOT_AVAILABLE, "57014"})
"""SQLSTATEs of `lock_timeout` and `statement_timeout`."""


@dataclass(frozen=True)
class Report:
    """Outcome of a switch.

    Args:
        rows: rows that were compared; None if an earlier run had switched.
        paused: seconds for which the writes were refused, until the new servers take them.
    """

    rows: int | None
    paused: float = 0.0


class _Pause:
    """The time in which the writes are refused."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    def limit(self, *connections: Connection) -> float:
        """Limit the next statements to the rest of the pause; return it, in seconds.

        Raises:
            PauseTooLongError: there is none.
        """
        rest = PAUSE - KNOWN_AFTER - RESERVE - self.elapsed
        if rest <= 0:
            raise PauseTooLongError(f"the pause would exceed {PAUSE:.0f} s: the writes go on in the former database")
        for connection in connections:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(round(rest * 1000), 1)}")
        return rest


def switch(
    source: Engine, target: Engine, share: ServiceShare, address: str, others: Collection[str], patience: float
) -> Report:
    """Switch, unless an earlier run has done so; then do what it has left.

    Args:
        source, target: the former database, and the service's own.
        share: what moves.
        address: `http://host:port` of the servers that take over.
        others: the other services. The one that has the sessions moves last: those that stay look there.
        patience: seconds to wait for the copy.

    Raises:
        PauseTooLongError: nothing has changed.
        SplitError: the databases differ, or the outcome of the commit is unknown, which another run finds out.
    """
    with source.connect() as connection:
        moved = fence.moved_rows(connection, share.service)
        left = [name for name in others if fence.moved_rows(connection, name) is None]
    if moved is not None:
        with target.connect() as connection:
            if is_complete(connection):
                return Report(None)
        take_over(source, target, share, moved)
        return Report(None)
    if share.has_sessions and left:
        raise SplitError(f"{share.service} moves last: {', '.join(left)} would no longer know who is logged in")
    with target.connect() as connection:
        if is_complete(connection):
            raise SplitError(f"the database of {share.service} is in use already: nothing was moved")
    wait(source, target, share, patience)
    rows, pause = _commit(source, target, share, address)
    committed = time.monotonic()
    take_over(source, target, share, rows, not_before=committed + KNOWN_AFTER)
    return Report(rows, pause.elapsed)


def _commit(source: Engine, target: Engine, share: ServiceShare, address: str) -> tuple[int, _Pause]:
    try:
        with source.connect() as former, target.connect() as new:
            transaction = former.begin()
            # A command that is frozen is ended by the server, and the fence opens.
            former.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {round(PAUSE * 1000)}")
            _end_side_effects(former, share)
            former.exec_driver_sql(f"SET LOCAL lock_timeout = {round(WRITERS * 1000)}")
            pause = _Pause()
            fence.acquire(former, share.service)
            _catch_up(source, former, share, pause)
            pause.limit(former, new)
            rows = compare(former, new, share)
            pause.limit(former)
            fence.mark_moved(former, share.service, address, rows)
            # Before the rows are deleted, so that this is not replicated.
            former.exec_driver_sql(f"ALTER PUBLICATION {share.name} SET (publish = '')")
            _delete_work(former, share)
            pause.limit(former)
            with _known_outcome(source, share):
                transaction.commit()
            return rows, pause
    except DBAPIError as error:
        if sqlstate(error.orig) in TIMEOUTS:
            cause = "the pause would have been too long: the writes go on in the former database"
            raise PauseTooLongError(cause) from error
        raise


def _end_side_effects(former: Connection, share: ServiceShare) -> None:
    """Let no job with side effects begin, and wait until none runs: what it does could not be recorded."""
    if not share.side_effects:
        return
    former.exec_driver_sql(f"SET LOCAL lock_timeout = {round(WRITERS * 1000)}")
    fence.acquire(former, share.service + fence.CLAIMS)
    running = text(
        "SELECT count(*) FROM jobs WHERE state = 'running' AND due_at > clock_timestamp() AND kind = ANY(:kinds)"
    )
    end = time.monotonic() + SIDE_EFFECTS
    while former.scalar(running, {"kinds": list(share.side_effects)}):
        if time.monotonic() > end:
            raise PauseTooLongError(f"jobs of {share.service} that send mails still run: nothing was moved, try again")
        time.sleep(POLL)


def _catch_up(source: Engine, former: Connection, share: ServiceShare, pause: _Pause) -> None:
    """Wait until the service's database has all that was committed, written to its disk."""
    with source.begin() as connection:
        # A commit that is flushed: only what is flushed is sent.
        connection.exec_driver_sql("SET LOCAL synchronous_commit = local")
        end = connection.scalar(text("SELECT pg_logical_emit_message(true, 'split', '')"))
    reached = text(
        "SELECT confirmed_flush_lsn >= CAST(:end AS pg_lsn) FROM pg_replication_slots WHERE slot_name = :slot"
    )
    while not former.scalar(reached, {"end": end, "slot": share.name}):
        pause.limit(former)
        time.sleep(POLL)


def _delete_work(former: Connection, share: ServiceShare) -> None:
    """Delete what the former release's background work would take up: it is the new one's from now on."""
    undone = {
        "outbox": "carried_at IS NULL",
        "jobs": "state IN ('queued', 'running')",
        "failed_deliveries": "true",
    }
    for table, part in share.parts("share"):
        if table.name in undone:
            former.exec_driver_sql(f"DELETE FROM {table.name} WHERE ({part.condition()}) AND {undone[table.name]}")


@contextmanager
def _known_outcome(source: Engine, share: ServiceShare) -> Iterator[None]:
    """Ask the former database when the answer to a COMMIT was lost."""
    try:
        yield
    except DBAPIError as error:
        try:
            with source.connect() as connection:
                # Held until the session that commits has ended.
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(PAUSE * 1000)}")
                fence.acquire(connection, share.service)
                moved = fence.moved_rows(connection, share.service) is not None
        except DBAPIError:
            raise SplitError("the former database did not say whether the service has moved: try again") from error
        if not moved:
            raise
