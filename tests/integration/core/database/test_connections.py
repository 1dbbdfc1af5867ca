"""Connections to PostgreSQL: alive when they are used, with a statement limit in every transaction."""

import io
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text

from app.core.database.engine import COPIED, UNLIMITED, Database, connect
from tests.support.postgres import Postgres
from tests.support.settings import make_settings
from tests.support.storage import SystemStorage

LIMIT = text("SHOW statement_timeout")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = connect(make_settings(postgres_url, statement_timeout=1.25, pool_size=1, max_overflow=0))
    yield opened
    opened.dispose()


def pid_of(connection: Connection) -> int:
    driver: Any = connection.connection.dbapi_connection
    pid: int = driver.info.backend_pid
    return pid


def test_an_idle_connection_that_was_cut_is_not_handed_out(database: Database, postgres: Postgres) -> None:
    with database.reader.connect() as connection:
        former = pid_of(connection)
    postgres.execute(f"SELECT pg_terminate_backend({former}, 5000)")
    with database.reader.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        assert pid_of(connection) != former


def test_a_users_read_is_in_autocommit_mode_and_has_a_statement_limit(database: Database, postgres: Postgres) -> None:
    def state(connection: Connection) -> object:
        pid = pid_of(connection)
        return postgres.execute(f"SELECT state FROM pg_stat_activity WHERE pid = {pid}")  # noqa: S608 a number

    for _ in range(2):  # on the same connection, which serves transactions in between
        with SystemStorage(database).read_of(uuid4()) as work:
            assert work.session.scalar(LIMIT) == "1250ms"
            assert work.session.scalar(LIMIT) == "1250ms"
            assert state(work.session.connection()) == "idle"
        with SystemStorage(database).read() as work:
            work.session.scalar(LIMIT)
            assert state(work.session.connection()) == "idle in transaction"


@pytest.mark.parametrize(
    "begin",
    [
        lambda connection: connection.execute(text("SELECT 1")),
        lambda connection: connection.begin_nested().rollback(),
        lambda connection: connection.execute(text("SELECT pg_notify('test', :a)"), [{"a": "1"}, {"a": "2"}]),
        lambda connection: connection.execute(text("SELECT 1").execution_options(yield_per=1)).all(),
        lambda connection: connection.exec_driver_sql(
            "COPY user_versions FROM STDIN", execution_options={COPIED: io.StringIO("")}
        ),
    ],
    ids=["a statement", "a savepoint", "one statement many times", "rows as they are read", "COPY"],
)
def test_every_transaction_has_a_statement_limit(database: Database, begin: Callable[[Connection], object]) -> None:
    for engine, limit in ((database.writer, "1250ms"), (database.writer.execution_options(**{UNLIMITED: True}), "0")):
        for _ in range(2):  # the next transaction on the same connection too
            with engine.begin() as connection:
                begin(connection)
                assert connection.scalar(LIMIT) == limit
