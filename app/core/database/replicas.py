"""Replica routing: reads go to a replica that has replayed the user's last write, else to the primary."""

import itertools
from collections.abc import Sequence
from contextlib import suppress
from math import inf

import structlog
from prometheus_client import Counter
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.core.database.bulkhead import Bulkhead, place_in
from app.core.database.circuit_breaker import AwayError, CircuitBreaker
from app.core.errors import UnavailableError

REPLAYED = text("""
    SELECT pg_is_in_recovery() AS follows,
           (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint AS position,
           CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
                     AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
                ELSE coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), 'infinity')
           END::float8 AS lag
""")
"""Runs in the transaction that then reads, since one address may lead to several servers, or a pooler.

A replica that has replayed everything it received has no lag, however long ago the last change was, provided that its
WAL receiver runs: one that has lost its primary has also replayed everything it received."""

TRIES = 5
"""Attempts to find a replica that has replayed the position, before the read falls back to the primary. Each takes
about a millisecond, in which a replica catches up; and after the loss of a primary perhaps only one of several replicas
has the user's last write."""

SOURCES = ("replica", "behind", "out", "unknown", "late")

log = structlog.get_logger(__name__)


class _OutOfRotationError(Exception):
    """The replica can't be reached, lags too far, or is no replica any more."""


class Replica:
    """A replica, or an address that leads to several.

    It leaves the rotation when it can't be reached, lags too far, or is no replica any more; its circuit breaker brings
    it back.

    Args:
        name: for metrics and logs.
        engine: its pool, with short time-outs, since reads can fall back to the primary.
        most_lag: highest replication lag in rotation, in seconds.
    """

    def __init__(self, name: str, engine: Engine, most_lag: float) -> None:
        self.name = name
        self.engine = engine
        self.lag: float | None = None
        self._most_lag = most_lag
        self._circuit = CircuitBreaker(name, self._probe)

    @property
    def in_rotation(self) -> bool:
        return not self._circuit.open

    def begin(self, position: int) -> Session | None:
        """Return a session whose transaction sees everything up to an LSN; None if the replica has not replayed it yet.

        Raises:
            AwayError: the replica is out of rotation.
        """
        return self._circuit.call(lambda: self._begin(position, self._most_lag), _OutOfRotationError)

    def begin_late(self, position: int) -> Session | None:
        """Like `begin`, whatever the replica's lag, and whether or not its circuit is open.

        Raises:
            AwayError: the replica can't be reached, or is none any more.
        """
        try:
            return self._begin(position, inf)
        except _OutOfRotationError as error:
            raise AwayError(str(error)) from error

    def _begin(self, position: int, most_lag: float) -> Session | None:
        session = Session(self.engine, expire_on_commit=False)
        caught_up = False
        try:
            try:
                caught_up = self._replayed(session, most_lag) >= position
            finally:
                if not caught_up:
                    session.close()  # sends a ROLLBACK, which fails if the connection is lost
        except (DBAPIError, PoolTimeout) as error:
            self.lag = None
            raise _OutOfRotationError(type(error).__name__) from error
        return session if caught_up else None

    def _probe(self) -> None:
        if session := self._begin(0, self._most_lag):
            session.close()

    def _replayed(self, session: Session, most_lag: float) -> int:
        """Return the replay position. Raises _OutOfRotationError for a server that lags too far or is no replica."""
        follows, position, self.lag = session.execute(REPLAYED).one()
        if not follows or position is None:
            raise _OutOfRotationError("is no replica")
        if self.lag > most_lag:
            raise _OutOfRotationError(f"is {self.lag:.1f} s behind")
        return int(position)


class Replicas:
    """All replicas, chosen round-robin.

    Args:
        replicas: may be empty.
        bulkhead: limits the threads that wait for replicas; None for no limit.
    """

    def __init__(self, replicas: Sequence[Replica] = (), bulkhead: Bulkhead | None = None) -> None:
        self.all = tuple(replicas)
        self._bulkhead = bulkhead
        self._turns = itertools.count()
        self.reads = Counter(
            "task_manager_database_reads",
            "Reads: from a replica, or from the primary because of (behind, out, unknown); late: of a lagging replica",
            ["source"],
            registry=None,
        )
        for source in SOURCES:
            self.reads.labels(source)

    def begin(self, position: int | None) -> Session | None:
        """Return a session of a replica that has replayed an LSN; None to read from the primary.

        When a replica does not answer, no other one is tried: a read waits for one time-out at most.
        """
        if not self.all:
            return None
        if position is None:
            self.reads.labels("unknown").inc()
            return None
        for _ in range(TRIES):
            replica = self.all[next(self._turns) % len(self.all)]
            try:
                with place_in(self._bulkhead):
                    session = replica.begin(position)
            except (AwayError, UnavailableError) as error:
                log.warning("replica out of rotation", replica=replica.name, error=str(error.__cause__ or error))
                self.reads.labels("out").inc()
                return None
            if session:
                self.reads.labels("replica").inc()
                return session
        self.reads.labels("behind").inc()
        return None

    def begin_late(self, position: int | None) -> Session | None:
        """Like `begin`, while the primary is unavailable: of a replica whatever its lag; None if there is none."""
        if position is None:
            return None
        for replica in self.all:
            with suppress(AwayError, UnavailableError):
                for _ in range(TRIES):
                    with place_in(self._bulkhead):
                        session = replica.begin_late(position)
                    if session:
                        self.reads.labels("late").inc()
                        return session
        return None
