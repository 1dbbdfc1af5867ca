"""Engines and connection pools for SQLite and PostgreSQL, with their session and transaction settings."""

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
from app.core.database_split.moved_services import MovedServices
from app.core.errors import MovedError, UnavailableError
from app.core.settings import Settings
from app.core.sqlite_migration.completion import CopyCompletion
from app.core.sqlite_migration.handover import HandoverLock

if TYPE_CHECKING:
    from app.core.database.deadlines import DeadlineConnection

BUSY_TIMEOUT = 10
"""Seconds that a SQLite writer waits for the write lock: two processes overlap during a rollout."""

CONNECT_TIMEOUT = 5
"""Seconds to wait for a new PostgreSQL connection, and for the first answer on an idle one."""

POOL_TIMEOUT = 5
"""Seconds that a request waits for a free connection of the pool."""

REPLICA_TIMEOUT = 1
"""Seconds to wait for a connection to a replica, and for its first answer: reads can fall back to the primary. Probes
of an unavailable primary wait no longer either: the next one may reach another server."""

PATIENCE = 2.0
"""Seconds of nothing but lost and refused connections that open the primary's circuit breaker. A restart of the pooler,
or a few dead connections, is over before."""

PROBE_INTERVAL = 0.25
"""Seconds between two probes of an unavailable primary. Each opens a connection, and a server that recovers may need
its CPU for that."""

GRACE = 5
"""Seconds by which the client's deadline exceeds the server's `statement_timeout`: normally the server reports it."""

KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""TCP keep-alives, in seconds, and `tcp_user_timeout`, in milliseconds: a lost machine or route is detected within a
minute, also by a migration, which has no statement limit."""

UNLIMITED = "unlimited"
"""Execution option of a transaction whose statements have no time limit."""

SINGLE = "single"
"""Execution option of reads in autocommit mode: no transaction around their statements."""

CHAINED = "chained"
"""Execution option of a statement that ends its transaction and begins another one (COMMIT AND CHAIN)."""

SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
CHAINED_SNAPSHOT = text(f"COMMIT AND CHAIN; {SNAPSHOT.text}").execution_options(**{CHAINED: True})
"""A new transaction, since the level can only be set before the first query. Chained and in one message, so that a
pooler does not hand the server connection to another client in between."""

COPIED = "copied"
"""Execution option of a COPY statement: the file that it reads."""


@dataclass(frozen=True)
class Database:
    """Primary (or SQLite file) and replicas: engines, circuit breaker and bulkheads.

    Attributes:
        reader: engine for transactions that read.
        writer: engine for transactions that write; shares the reader's pool.
        single: engine for reads in autocommit mode, with the visibility of READ COMMITTED and two round trips instead
            of four. None on SQLite, where the visibility would differ.
        replicas: the primary's replicas, if any.
        circuit: circuit breaker of the primary; None on SQLite.
        bulkhead: limits the threads that wait for the primary; None on SQLite.
        writes: limits those that wait for a write, so that reads still get a place while writes hang, as when
            synchronous replication waits for a standby.
        handover_lock: of a SQLite file: whether its data has moved to PostgreSQL.
        copy_completion: of a PostgreSQL database that takes data over: whether it is complete.
        moved_services: of a PostgreSQL database that services share: those that have left it.
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
    moved_services: MovedServices | None = None

    def begin(self, session: Session) -> None:
        """Begin a session's transaction on the primary, once its connection has answered.

        Raises:
            UnavailableError: the circuit breaker is open, or the bulkhead is full.
        """
        self._check()
        with place_in(self.bulkhead):
            session.connection()

    def take_snapshot(self, session: Session) -> None:
        """Switch a read transaction to REPEATABLE READ, so that its further statements see one snapshot.

        SQLite always does. On a replica the query for its replay position has already begun a transaction, so a new one
        is chained; its snapshot is at or past that position.
        """
        if self.dialect == "postgresql":
            of_primary = session.bind is self.reader
            session.execute(SNAPSHOT if of_primary else CHAINED_SNAPSHOT)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold a bulkhead place of the primary while the block runs a write transaction from begin to end.

        Raises:
            UnavailableError: the circuit breaker is open, or the bulkhead is full.
        """
        self._check()
        with place_in(self.writes), place_in(self.bulkhead):
            yield

    def record_outcome(self, session: Session, error: DBAPIError | None = None) -> None:
        """Record a session's outcome in the primary's circuit breaker; sessions of replicas are ignored.

        Args:
            session: has run at least one statement.
            error: the error, if the session failed.
        """
        if session.bind is not None and session.bind.engine.pool is self.reader.pool:
            self._record_outcome(error)

    def _record_outcome(self, error: DBAPIError | None) -> None:
        if self.circuit is None:
            return
        # An error that the server sent, such as a deadlock, is an answer too.
        if error is not None and connection_lost(error):
            self.circuit.record_failure()
        else:
            self.circuit.record_success()

    def _check(self) -> None:
        """Raise UnavailableError while the circuit is open; not TransientError, since a retry would only wait."""
        if self.circuit is not None and self.circuit.refuses():
            raise UnavailableError("The database can't be reached.")

    def position(self) -> int | None:
        """Return the primary's current LSN, an upper bound of all commits so far.

        Without replicas it is 0, without a query. None when the primary does not answer.
        """
        if not self.replicas.all:
            return 0
        from app.core.database.commit_lsn import POSITION  # imports psycopg2, which SQLite does not need

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

    def shared_by_all(self) -> bool:
        """Return whether no service has moved to a database of its own; asks the primary."""
        return self.moved_services is None or not self.moved_services.now()

    @property
    def dialect(self) -> str:
        return self.writer.dialect.name

    def dispose(self) -> None:
        self.writer.dispose()
        for replica in self.replicas.all:
            replica.engine.dispose()


def database_url(settings: Settings) -> URL:
    """Return the database URL: the setting, or one made from its parts (host, port, name, user, password)."""
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
    """Return the database of the settings. Connections are opened on first use.

    Args:
        settings: complete settings.
        serves: whether the process serves requests, and needs bulkheads to keep threads free for those that do not
            use the database.
    """
    url = database_url(settings)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, settings)
    engine = _postgresql(url, settings, CONNECT_TIMEOUT, POOL_TIMEOUT, primary=True)
    probed = _postgresql(url, settings, REPLICA_TIMEOUT, REPLICA_TIMEOUT, primary=False)
    replicas = [
        Replica(host, _postgresql(_at_host(url, host), settings, REPLICA_TIMEOUT, REPLICA_TIMEOUT, primary=False), lag)
        for lag in [settings.database_replica_lag]
        for host in (settings.database_replica_host or "").split()
    ]
    # Some threads stay free for health probes and cached responses, and one place at the primary for reads.
    of_primary, of_replicas = max(1, settings.threads * 5 // 8), max(1, settings.threads // 4)
    circuit = CircuitBreaker("primary", partial(_probe, probed), patience=PATIENCE, interval=PROBE_INTERVAL)
    single = engine.execution_options(**{SINGLE: True})
    return Database(
        reader=engine,
        writer=engine,
        single=single,
        replicas=Replicas(replicas, Bulkhead(of_replicas) if serves else None),
        circuit=circuit,
        bulkhead=Bulkhead(of_primary) if serves else None,
        writes=Bulkhead(max(1, of_primary - 1)) if serves else None,
        copy_completion=CopyCompletion(engine) if settings.database_inherits else None,
        moved_services=MovedServices(single, circuit.refuses),
    )


def _probe(engine: Engine) -> None:
    """Check that the primary answers, over a new connection: pooled ones may lead to the server that is unavailable.

    Raises:
        DBAPIError: there is no primary, or it does not answer in time.
    """
    try:
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.rest(REPLICA_TIMEOUT)
            # Fails on a server in recovery, such as a former primary that follows the new one.
            connection.execute(text("SELECT pg_current_wal_lsn()"))
    finally:
        engine.dispose()


def _at_host(url: URL, host: str) -> URL:
    """Return the URL of the same database on another server, given as host or host:port."""
    name, _, port = host.partition(":")
    return url.set(host=name, port=int(port) if port else url.port)


def _postgresql(url: URL, settings: Settings, connect_timeout: int, pool_timeout: int, *, primary: bool) -> Engine:
    # these import psycopg2, which SQLite does not need
    from app.core.database.commit_lsn import LsnConnection
    from app.core.database.deadlines import DeadlineConnection

    reads_lsn = primary and settings.database_replica_host is not None
    engine = create_engine(
        url,
        hide_parameters=True,  # errors are logged, and must not contain user data
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=pool_timeout,
        # Detects connections that a failover has cut. Reads from a replica begin with the query for its position.
        pool_pre_ping=primary,
        pool_recycle=1800,
        skip_autocommit_rollback=True,  # in autocommit mode there is nothing to roll back
        connect_args={
            "connect_timeout": connect_timeout,
            "application_name": "task-manager",
            "connection_factory": LsnConnection if reads_lsn else DeadlineConnection,
            **KEEPALIVE,
        },
    )
    _limit_statements(engine, settings.statement_timeout)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(SINGLE, False):
            driver: Any = connection.connection.driver_connection
            # Not SQLAlchemy's AUTOCOMMIT isolation level: to reset it, the driver sets a session parameter.
            driver.autocommit = True

    @event.listens_for(engine, "checkin")
    def rest(driver: "DeadlineConnection | None", _record: object) -> None:
        if driver is not None and not driver.closed:  # closed if the connection was lost
            driver.autocommit = False
            driver.rest(connect_timeout)

    @event.listens_for(engine, "handle_error")
    def find_demoted(context: ExceptionContext) -> None:
        # The server is no longer the primary: invalidates the whole pool.
        if sqlstate(context.original_exception) == DEMOTED:
            context.is_disconnect = True

    return engine


def _limit_statements(engine: Engine, seconds: float) -> None:
    """Set the statement time-out of the server and of the client, and run COPY by the driver's own method.

    The server's `statement_timeout` is set by SET LOCAL for each transaction: a transaction pooler hands the connection
    to other clients, and rejects the parameter as a start-up option. It is sent with the transaction's first statement,
    so that it costs no round trip.
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
        if _begins_transaction(cursor, context):
            if cursor.name:  # server-side cursor: its statement becomes part of a DECLARE
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
        if _begins_transaction(cursor, context):
            set_limit(cursor.connection)


def _begins_transaction(cursor: Any, context: ExecutionContext) -> bool:
    """Return whether a statement is the first of a transaction with a statement limit."""
    from psycopg2.extensions import TRANSACTION_STATUS_IDLE

    idle = cursor.connection.info.transaction_status == TRANSACTION_STATUS_IDLE
    return idle and not context.execution_options.get(UNLIMITED, False)


def _sqlite(url: URL, settings: Settings) -> Database:
    handover_lock = HandoverLock(Path(url.database or ""))
    engine = create_engine(
        url,
        hide_parameters=True,  # errors are logged, and must not contain user data
        poolclass=QueuePool,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=POOL_TIMEOUT,
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # Disables the driver's own transaction handling: `begin` below sends BEGIN.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # fsync at each commit: an acknowledged write survives a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # Else INSERT OR REPLACE would bypass the triggers that make the audit log append-only.
        cursor.execute("PRAGMA recursive_triggers = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A write transaction takes the write lock at once. One that began as a reader could not wait for it: SQLite
        # rejects the upgrade if another transaction has written meanwhile.
        immediate = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
        # Checked under the write lock, under which it is acquired. Readers go on, with the data before the handover.
        if immediate and handover_lock.address() is not None:
            connection.exec_driver_sql("ROLLBACK")
            raise MovedError("The data has moved to another database.")

    return Database(reader=engine, writer=engine.execution_options(write=True), handover_lock=handover_lock)
