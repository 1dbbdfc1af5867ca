"""Engines and connection pools of SQLite and PostgreSQL, and the settings of their sessions and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url, text
from sqlalchemy.engine import URL, ExceptionContext, ExecutionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.core.database.bulkhead import Bulkhead, place_in
from app.core.database.circuit_breaker import CircuitBreaker
from app.core.database.errors import DEMOTED, connection_lost, sqlstate
from app.core.database.replicas import Replica, Replicas
from app.core.errors import MovedError, UnavailableError
from app.core.settings import Settings
from app.core.sqlite_migration.completion import CopyCompletion
from app.core.sqlite_migration.handover import HandoverLock

if TYPE_CHECKING:
    from app.core.database.deadlines import DeadlineConnection

BUSY_TIMEOUT = 10
"""Seconds that a SQLite writer waits for another one: two processes overlap during a rollout."""

CONNECT_TIMEOUT = 5
"""Seconds to wait for a PostgreSQL connection, and for a sign of life of one that has rested."""

POOL_TIMEOUT = 5
"""Seconds that a request waits for a free connection."""

REPLICA_TIMEOUT = 1
"""Seconds to wait for a connection to a replica, and for a sign of life: the primary is there to be asked. A probe of a
primary that is away waits no longer either: the next one may lead to another server."""

PATIENCE = 2.0
"""Seconds of nothing but lost and refused connections after which the primary is taken to be away. A restart of its
pooler, or a few connections that have died, is over before."""

PROBE_INTERVAL = 0.25
"""Seconds between two probes of a primary that is away. Each makes a connection for nothing, and what is away may need
the processor to come back."""

GRACE = 5
"""Seconds that we wait longer for an answer than the server works at it: so it is the server that says so."""

KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""That a machine has gone, or the way to it, is found out within a minute, by a migration that waits for it too. In
seconds, and how long what is sent may stay unacknowledged in milliseconds."""

UNLIMITED = "unlimited"
"""Execution option of a transaction whose statements may take as long as they need."""

SINGLE = "single"
"""Execution option of reads whose statements have no transaction around them."""

CHAINED = "chained"
"""Execution option of a statement that ends its transaction and begins another on the same server."""

SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
CHAINED_SNAPSHOT = text(f"COMMIT AND CHAIN; {SNAPSHOT.text}").execution_options(**{CHAINED: True})
"""A pooler gives nobody else the server meanwhile. The level can be set before a transaction's first query only."""

COPIED = "copied"
"""Execution option of a COPY: the file that it reads."""


@dataclass(frozen=True)
class Database:
    """Views of one pool: `reader` begins transactions that read, `writer` those that write. And the replicas.

    Attributes:
        single: reads without a transaction around its statements, of which each sees what was committed when it began,
            as within one (READ COMMITTED). That leaves two of four round trips out. None where it would differ.
        circuit: refuses transactions of the primary while it is away, instead of letting each find that out; a file has
            none.
        bulkhead: keeps threads free while the primary gives no sign of life; a file needs none.
        writes: keeps places in it free while it takes no writes, as one that waits for a replica to confirm them.
        seal: says whether the data of a SQLite file has moved.
        inheritance: says whether it has the data of the SQLite file that it takes over, if it takes one over.
    """

    reader: Engine
    writer: Engine
    single: Engine | None = None
    replicas: Replicas = field(default_factory=Replicas)
    circuit: CircuitBreaker | None = None
    bulkhead: Bulkhead | None = None
    writes: Bulkhead | None = None
    handover_lock: HandoverLock | None = None
    copy_completion: CopyCompletion | None = None

    def begin(self, session: Session) -> None:
        """Begin a session's transaction, by a sign of life of the primary.

        Raises:
            UnavailableError: it is away, or too many wait for it already.
        """
        self._check()
        with place_in(self.bulkhead):
            session.connection()

    def take_snapshot(self, session: Session) -> None:
        """Let all further statements of a transaction that reads see the data as it is at one moment.

        SQLite does so by itself. A replica has been asked for its position, which the new transaction then lies behind.
        """
        if self.dialect == "postgresql":
            of_primary = session.bind is self.reader
            session.execute(SNAPSHOT if of_primary else CHAINED_SNAPSHOT)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Have a place at the primary, while the block runs from the transaction's begin to its end.

        Raises:
            UnavailableError: the primary is away, or too many wait for it already, and none of them comes to an end.
        """
        self._check()
        with place_in(self.writes), place_in(self.bulkhead):
            yield

    def record_outcome(self, session: Session, error: DBAPIError | None = None) -> None:
        """Tell the circuit breaker how the primary has answered a session; a replica's counts for nothing.

        Args:
            session: has run at least one statement.
            error: what came instead of the answer, if it went wrong.
        """
        if session.bind is not None and session.bind.engine.pool is self.reader.pool:
            self._record_outcome(error)

    def _record_outcome(self, error: DBAPIError | None) -> None:
        if self.circuit is None:
            return
        # An error that a server has sent, as for a deadlock, is an answer.
        if error is not None and connection_lost(error):
            self.circuit.record_failure()
        else:
            self.circuit.record_success()

    def _check(self) -> None:
        """Refuse at once while the primary is away: not as what is safe to retry, since that would only wait."""
        if self.circuit is not None and self.circuit.refuses():
            raise UnavailableError("The database can't be reached.")

    def position(self) -> int | None:
        """Return how far the log reaches: what has been committed until now lies before it.

        Without replicas it is 0, which asks nobody. None when the primary does not say.
        """
        if not self.replicas.all:
            return 0
        from app.core.database.commit_lsn import POSITION  # it brings the driver, which SQLite has no use for

        try:
            self._check()
            with place_in(self.bulkhead), self.reader.connect() as connection:
                position: int | None = connection.scalar(text(POSITION))
        except (UnavailableError, PoolTimeout):
            return None
        except DBAPIError as error:
            self._record_outcome(error)
            return None
        self._record_outcome(None)
        return position

    @property
    def dialect(self) -> str:
        return self.writer.dialect.name

    def dispose(self) -> None:
        self.writer.dispose()
        for replica in self.replicas.all:
            replica.engine.dispose()


def database_url(settings: Settings) -> URL:
    """Return the URL of the settings, put together from its parts when it was not given whole."""
    if settings.database_url is not None:
        return make_url(settings.database_url.get_secret_value())
    password = settings.database_password
    return URL.create(
        "postgresql+psycopg2",
        username=settings.database_user,
        password=password.get_secret_value() if password else None,
        host=settings.database_host,
        port=settings.database_port,
        database=settings.database_name,
    )


def connect(settings: Settings, *, serves: bool = True) -> Database:
    """Return the database of the settings. Nothing is opened yet.

    Args:
        settings: complete ones.
        serves: whether threads have to be left for who does not need the database, as in a server.
    """
    url = database_url(settings)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, settings)
    engine = _postgresql(url, settings, CONNECT_TIMEOUT, POOL_TIMEOUT, primary=True)
    probed = _postgresql(url, settings, REPLICA_TIMEOUT, REPLICA_TIMEOUT, primary=False)
    replicas = [
        Replica(host, _postgresql(_moved(url, host), settings, REPLICA_TIMEOUT, REPLICA_TIMEOUT, primary=False), lag)
        for lag in [settings.database_replica_lag]
        for host in (settings.database_replica_host or "").split()
    ]
    inheritance = CopyCompletion(engine) if settings.database_inherits else None
    # One thread is left for probes and for what the cache can answer, one place at the primary for reads.
    of_primary, of_replicas = max(1, settings.threads * 5 // 8), max(1, settings.threads // 4)
    return Database(
        reader=engine,
        writer=engine,
        single=engine.execution_options(**{SINGLE: True}),
        replicas=Replicas(replicas, Bulkhead(of_replicas) if serves else None),
        circuit=CircuitBreaker("primary", partial(_probe, probed), patience=PATIENCE, interval=PROBE_INTERVAL),
        bulkhead=Bulkhead(of_primary) if serves else None,
        writes=Bulkhead(max(1, of_primary - 1)) if serves else None,
        copy_completion=inheritance,
    )


def _probe(engine: Engine) -> None:
    """Ask for a primary, over a connection of its own: the pool's may lead to the one that is away.

    Raises:
        DBAPIError: there is none, or it does not answer in time.
    """
    try:
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.rest(REPLICA_TIMEOUT)
            # By what only a primary says, which a former one that follows the new one refuses.
            connection.execute(text("SELECT pg_current_wal_lsn()"))
    finally:
        engine.dispose()


def _moved(url: URL, host: str) -> URL:
    """Return the URL of the same database on another server, given as host or host:port."""
    name, _, port = host.partition(":")
    return url.set(host=name, port=int(port) if port else url.port)


def _postgresql(url: URL, settings: Settings, connect_timeout: int, pool_timeout: int, *, primary: bool) -> Engine:
    # these bring the driver, which SQLite has no use for
    from app.core.database.commit_lsn import LsnConnection
    from app.core.database.deadlines import DeadlineConnection

    tells = primary and settings.database_replica_host is not None
    engine = create_engine(
        url,
        hide_parameters=True,  # an error is logged, and what somebody has sent is not to be
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=pool_timeout,
        # A connection that a failover has cut is found out before it is used. A replica is asked first how far it is.
        pool_pre_ping=primary,
        pool_recycle=1800,
        skip_autocommit_rollback=True,  # there is nothing to be undone then
        connect_args={
            "connect_timeout": connect_timeout,
            "application_name": "task-manager",
            "connection_factory": LsnConnection if tells else DeadlineConnection,
            **KEEPALIVE,
        },
    )
    _limit_statements(engine, settings.statement_timeout)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(SINGLE, False):
            driver: Any = connection.connection.driver_connection
            # Not by SQLAlchemy's isolation level: to leave that, the driver sets something for the whole session.
            driver.autocommit = True

    @event.listens_for(engine, "checkin")
    def rest(driver: "DeadlineConnection | None", _record: object) -> None:
        if driver is not None and not driver.closed:  # as one that was lost
            driver.autocommit = False
            driver.rest(connect_timeout)

    @event.listens_for(engine, "handle_error")
    def find_demoted(context: ExceptionContext) -> None:
        # The whole pool leads to a server that is the primary no more.
        if sqlstate(context.original_exception) == DEMOTED:
            context.is_disconnect = True

    return engine


def _limit_statements(engine: Engine, seconds: float) -> None:
    """Give each statement its time, and COPY the call of its own that it has in the driver.

    The server's limit is set for a transaction alone: a pooler hands the same connection to others, and refuses it as a
    start-up option. To be no round trip of its own it goes out with the transaction's first statement.
    """
    limit = f"SET LOCAL statement_timeout = {round(seconds * 1000)}"

    def set_limit(connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(limit)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.limit = inf if connection.get_execution_options().get(UNLIMITED, False) else seconds + GRACE

    @event.listens_for(engine, "do_execute")
    def execute(cursor: Any, statement: str, parameters: Any, context: ExecutionContext) -> bool:
        if _opens(cursor, context):
            if cursor.name:  # its statement becomes part of a DECLARE
                set_limit(cursor.connection)
            else:
                statement = f"{limit}; {statement}"
        elif context.execution_options.get(CHAINED, False):
            statement = f"{statement}; {limit}"
        source = context.execution_options.get(COPIED)
        if source is None:
            cursor.execute(statement, parameters)
        else:
            cursor.copy_expert(statement, source)
        return True

    @event.listens_for(engine, "do_executemany")
    def execute_many(cursor: Any, _statement: str, _parameters: Any, context: ExecutionContext) -> None:
        if _opens(cursor, context):
            set_limit(cursor.connection)


def _opens(cursor: Any, context: ExecutionContext) -> bool:
    """Tell whether a statement is the first of a transaction whose statements are limited."""
    from psycopg2.extensions import TRANSACTION_STATUS_IDLE

    idle = cursor.connection.info.transaction_status == TRANSACTION_STATUS_IDLE
    return idle and not context.execution_options.get(UNLIMITED, False)


def _sqlite(url: URL, settings: Settings) -> Database:
    seal = HandoverLock(Path(url.database or ""))
    engine = create_engine(
        url,
        hide_parameters=True,  # an error is logged, and what somebody has sent is not to be
        poolclass=QueuePool,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=POOL_TIMEOUT,
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # The driver's own transaction handling is switched off: `begin` below decides.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # Each commit reaches the disk: an acknowledged write survives a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # Else INSERT OR REPLACE deletes rows past the triggers that refuse it: the audit log only grows.
        cursor.execute("PRAGMA recursive_triggers = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A write transaction takes the write lock at once. One that began as a reader could not wait for it: SQLite
        # refuses the upgrade if anyone has written meanwhile.
        immediate = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
        # Asked under the lock, since it is put there under it. Readers go on: what they see is still what was.
        if immediate and seal.address() is not None:
            connection.exec_driver_sql("ROLLBACK")
            raise MovedError("The data has moved to another database.")

    return Database(reader=engine, writer=engine.execution_options(write=True), handover_lock=seal)
