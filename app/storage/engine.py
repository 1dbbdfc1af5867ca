"""Connections: one pool, and what each database needs told when a connection or a transaction begins."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.engine import URL

from app.platform.settings import Settings

BUSY_TIMEOUT = 10
"""Seconds that a SQLite writer waits for another one: two processes overlap during a rollout."""

CONNECT_TIMEOUT = 5
"""Seconds to wait for a PostgreSQL connection."""

POOL_TIMEOUT = 5
"""Seconds that a request waits for a free connection."""


@dataclass(frozen=True)
class Database:
    """Two views of one pool: `reader` begins transactions that read, `writer` those that write."""

    reader: Engine
    writer: Engine

    @property
    def dialect(self) -> str:
        return self.writer.dialect.name

    def dispose(self) -> None:
        self.writer.dispose()


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


def connect(settings: Settings) -> Database:
    """Return the database of the settings. Nothing is opened yet."""
    url = database_url(settings)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, settings)
    engine = create_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=POOL_TIMEOUT,
        # A connection that a failover has cut is found out before it is used.
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={"connect_timeout": CONNECT_TIMEOUT, "application_name": "task-manager"},
    )
    return Database(reader=engine, writer=engine)


def _sqlite(url: URL, settings: Settings) -> Database:
    engine = create_engine(
        url,
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
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A write transaction takes the write lock at once. One that began as a reader could not wait for it: SQLite
        # refuses the upgrade if anyone has written meanwhile.
        immediate = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return Database(reader=engine, writer=engine.execution_options(write=True))
