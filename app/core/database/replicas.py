"""Replica routing: reads go to a replica that has replayed what their user has written."""

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
"""Asked in the transaction that then reads, since behind one address may be several servers, or a pooler.

One that has received all and replayed all is not behind, however long ago the last change was. The receiver counts: one
that has lost its primary has also replayed all it knows of."""

TRIES = 5
"""Answers that a replica is not there yet, after which the primary is asked. Each takes about a millisecond, in which
one that follows gets there; and when the primary is lost, maybe only one of several has what its user wrote last."""

SOURCES = ("replica", "behind", "out", "unknown", "late")

log = structlog.get_logger(__name__)


class _OutError(Exception):
    """The replica can't be asked, or should not be."""


class Replica:
    """A replica, or an address behind which there are some.

    It leaves rotation when it can't be asked, when it lags too far, and when it is no replica any more; it comes
    back by itself.

    Args:
        name: for metrics and logs.
        engine: its pool, with short time-outs: the primary can always be asked instead.
        most_lag: seconds that it may be behind.
    """

    def __init__(self, name: str, engine: Engine, most_lag: float) -> None:
        self.name = name
        self.engine = engine
        self.lag: float | None = None
        self._most_lag = most_lag
        self._circuit = CircuitBreaker(name, self._see)

    @property
    def in_rotation(self) -> bool:
        return not self._circuit.open

    def begin(self, position: int) -> Session | None:
        """Return a session whose transaction shows everything up to a position; None if this replica is not there yet.

        Raises:
            AwayError: it is out of rotation.
        """
        return self._circuit.call(lambda: self._begin(position, self._most_lag), _OutError)

    def begin_late(self, position: int) -> Session | None:
        """The same, however far the replica is behind.

        Raises:
            AwayError: it can't be asked.
        """
        try:
            return self._begin(position, inf)
        except _OutError as error:
            raise AwayError(str(error)) from error

    def _begin(self, position: int, most_lag: float) -> Session | None:
        session = Session(self.engine, expire_on_commit=False)
        there = False
        try:
            try:
                there = self._replayed(session, most_lag) >= position
            finally:
                if not there:
                    session.close()  # by a ROLLBACK, for which the connection may be lost by now
        except (DBAPIError, PoolTimeout) as error:
            self.lag = None
            raise _OutError(type(error).__name__) from error
        return session if there else None

    def _see(self) -> None:
        if session := self._begin(0, self._most_lag):
            session.close()

    def _replayed(self, session: Session, most_lag: float) -> int:
        """Return how far the log has been replayed. Raises _OutError when the replica should not be asked."""
        follows, position, self.lag = session.execute(REPLAYED).one()
        if not follows or position is None:
            raise _OutError("is no replica")
        if self.lag > most_lag:
            raise _OutError(f"is {self.lag:.1f} s behind")
        return int(position)


class Replicas:
    """All of them, asked in turn.

    Args:
        replicas: may be none.
        bulkhead: keeps threads free while replicas give no sign of life; None if there are none.
    """

    def __init__(self, replicas: Sequence[Replica] = (), bulkhead: Bulkhead | None = None) -> None:
        self.all = tuple(replicas)
        self._bulkhead = bulkhead
        self._turns = itertools.count()
        self.reads = Counter("task_manager_database_reads", "Reads, by where from and why", ["source"], registry=None)
        for source in SOURCES:
            self.reads.labels(source)

    def begin(self, position: int | None) -> Session | None:
        """Return a session of a replica that shows everything up to a position; None says to ask the primary.

        One that does not answer is not followed by another one: a read waits for no more than one.
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
        """Return such a session while the primary can't be asked, of a replica however far behind; None for none."""
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
