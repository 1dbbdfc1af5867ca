"""Application shared by many tests: started once, its database emptied between them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask_openapi.openapi import OpenAPI

from app.bootstrap.container import Container, build
from app.bootstrap.http import create_app
from app.bootstrap.schema import tables
from tests.support.postgres import Postgres
from tests.support.settings import make_settings


@dataclass(frozen=True)
class Application:
    """Application on a database of its own, without Redis."""

    database_url: str
    container: Container
    app: OpenAPI
    empty_database: Callable[[], None]

    def forget(self) -> None:
        """Empty the database, whose schema costs far more to make anew, and reset the rate limits."""
        self.empty_database()
        self.container.platform.limits._limiter.reset()


@contextmanager
def on_sqlite(file: Path, migrated: bytes) -> Iterator[Application]:
    """Run the application on a new SQLite database.

    Args:
        file: path of the database.
        migrated: bytes of a migrated, empty database.
    """
    template = file.with_suffix(".migrated")
    for each in (template, file):
        each.write_bytes(migrated)

    def empty() -> None:
        # Not by DELETE: the audit log's triggers reject it.
        with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)

    with _application(f"sqlite:///{file}", empty) as started:
        yield started


@contextmanager
def on_postgres(server: Postgres) -> Iterator[Application]:
    """Run the application on a new database, created from the server's template `migrated`."""
    server.execute("CREATE DATABASE shared TEMPLATE migrated STRATEGY FILE_COPY")
    deletions = "; ".join(str(table.delete()) for table in tables())

    def empty() -> None:
        with started.container.database.writer.begin() as connection:
            # The replica role disables triggers: the audit log's reject a deletion.
            connection.exec_driver_sql(f"SET LOCAL session_replication_role = replica; {deletions}")

    with _application(server.url("shared"), empty) as started:
        yield started


@contextmanager
def _application(database_url: str, empty: Callable[[], None]) -> Iterator[Application]:
    container = build(make_settings(database_url))
    yield Application(database_url, container, create_app(container), empty)
    container.database.dispose()
