"""A database that all services share, one of a service's own, and what moves between them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import psycopg2
from sqlalchemy import Engine, create_engine

from app.bootstrap.shares import shares
from app.cli.migrate import run as migrate
from app.cli.split_database import split_database
from app.core.database_split import subscription
from app.core.database_split.share import ServiceShare
from tests.support.postgres import Postgres, postgres
from tests.support.server import environment
from tests.support.settings import make_settings

LOGICAL = {
    "wal_level": "logical",
    "max_replication_slots": "20",
    "max_worker_processes": "40",
    "max_logical_replication_workers": "20",
    "max_sync_workers_per_subscription": "4",
}

OWNER, SPLITTER = "tasks", "splitter"
"""Owner of the shared database, and the role that replicates from it."""


@contextmanager
def logical_server() -> Iterator[Postgres]:
    """Run a server with the roles that the operator makes, a migrated database `shared`, and one for each service."""
    with postgres(**LOGICAL) as server:
        server.execute(f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE {SPLITTER} LOGIN REPLICATION IN ROLE {OWNER}")
        server.execute(f"CREATE DATABASE shared OWNER {OWNER}")
        assert migrate(make_settings(url(server, "shared", OWNER))) == 0
        yield server


def own_template(server: Postgres, service: str) -> str:
    """Return the name of a database with the schema of a service, owned by its role; made once."""
    name = f"{service}_service"
    if not server.execute(f"SELECT to_regrole('{name}') IS NOT NULL"):
        server.execute(f"CREATE ROLE {name} LOGIN")
        server.execute(f"CREATE DATABASE {name} OWNER {name}")
        assert migrate(make_settings(url(server, name, name)), [service]) == 0
    return name


def url(server: Postgres, database: str, role: str) -> str:
    return f"postgresql+psycopg2://{role}@127.0.0.1:{server.port}/{database}"


@dataclass(frozen=True)
class Said:
    """What a step has ended with: exit status, and what it has printed."""

    status: int
    out: str
    error: str


@dataclass(frozen=True)
class Move:
    """A service that moves.

    Args:
        service: its name.
        source, target: servers of the shared database and of its own.
        former, own: names of the databases.
    """

    service: str
    source: Postgres
    target: Postgres
    former: str
    own: str

    @property
    def share(self) -> ServiceShare:
        return shares()[self.service]

    @property
    def former_url(self) -> str:
        """The shared database, as the former release uses it."""
        return url(self.source, self.former, OWNER)

    @property
    def splitter_url(self) -> str:
        return url(self.source, self.former, SPLITTER)

    @property
    def own_url(self) -> str:
        return url(self.target, self.own, f"{self.service}_service")

    def run(self, step: str, address: str | None = None, patience: float = 60) -> Said:
        """Run a step of the command."""
        out, error = StringIO(), StringIO()
        given = environment(Path("/tmp"), self.own_url, port=1, APP_FORMER_DATABASE_URL=self.splitter_url)  # noqa: S108
        with patch.dict(os.environ, given, clear=True), redirect_stdout(out), redirect_stderr(error):
            status = split_database(step, self.service, address, patience)
        return Said(status, out.getvalue(), error.getvalue())

    def run_as(self, role: str, step: str) -> Said:
        """Run a step as another role of the shared database."""
        with patch("tests.support.split.SPLITTER", role):
            return self.run(step)

    def succeed(self, step: str, address: str | None = None) -> str:
        """Run a step of the command, and return what it prints."""
        said = self.run(step, address)
        assert said.status == 0, said
        return said.out

    def ready(self) -> None:
        """Prepare, subscribe, and wait until the copy is there."""
        self.succeed("prepare")
        self.subscribe()
        self.succeed("wait")

    def switch(self, address: str) -> str:
        """Run the step `switch`, again and again on a busy machine, as the Job does; return what it prints."""
        for _ in range(10):
            said = self.run("switch", address)
            if said.status == 0:
                return said.out
            assert "the writes go on in the former database" in said.error, said
        raise AssertionError(said)

    def killed(self, step: str, module: str, function: str, when: str, address: str | None = None) -> None:
        """Run a step in another process, which is killed before or after it calls a function for the first time."""
        pid = self._begin(step, module, function, when, signal.SIGKILL, address)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it was not killed"

    @contextmanager
    def frozen(self, step: str, module: str, function: str, address: str | None = None) -> Iterator[None]:
        """Run a step in another process, stopped before it calls a function; after the block it goes on, in vain."""
        pid = self._begin(step, module, function, "before", signal.SIGSTOP, address)
        _, status = os.waitpid(pid, os.WUNTRACED)
        try:
            assert os.WIFSTOPPED(status), "it was not stopped"
            yield
        finally:
            os.kill(pid, signal.SIGCONT)
            _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 1

    def _begin(
        self, step: str, module: str, function: str, when: str, sent: signal.Signals, address: str | None
    ) -> int:
        """Begin a step in another process, which sends itself a signal; return its process id."""
        pid = os.fork()
        if pid == 0:
            try:
                _signal_at(import_module(module), function, when, sent)
                os._exit(self.run(step, address).status)
            finally:
                os._exit(3)
        return pid

    def subscribe(self) -> None:
        """Create the subscription, as the operator does."""
        connection = f"host=127.0.0.1 port={self.source.port} dbname={self.former} user={SPLITTER}"
        name = self.share.name
        self.administer(
            f"CREATE SUBSCRIPTION {name} CONNECTION '{connection}' PUBLICATION {name}"
            f" WITH (create_slot = false, slot_name = '{name}')"
        )

    def unsubscribe(self) -> None:
        self.administer(f"DROP SUBSCRIPTION IF EXISTS {self.share.name}")

    def abandon(self) -> None:
        """Drop the subscription, whatever has become of its slot."""
        name = self.share.name
        with self.engines()[1].connect() as connection:
            exists = subscription.exists(connection, self.share)
        if exists:
            self.administer(f"ALTER SUBSCRIPTION {name} DISABLE")
            self.administer(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
            self.unsubscribe()

    def administer(self, statement: str) -> Any:
        """Run a statement in the service's own database as the superuser."""
        return execute(self.target, self.own, statement)

    def ask(self, statement: str) -> Any:
        """Return the first value of a query in the shared database."""
        return execute(self.source, self.former, statement)

    def engines(self) -> tuple[Engine, Engine]:
        return create_engine(self.splitter_url), create_engine(self.own_url)


def _signal_at(module: ModuleType, function: str, when: str, sent: signal.Signals) -> None:
    original = getattr(module, function)

    def call(*arguments: Any, **options: Any) -> Any:
        if when == "after":
            result = original(*arguments, **options)
        os.kill(os.getpid(), sent)
        return result if when == "after" else original(*arguments, **options)

    setattr(module, function, call)


def execute(server: Postgres, database: str, statement: str) -> Any:
    connection = psycopg2.connect(host="127.0.0.1", port=server.port, user="postgres", dbname=database)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


@contextmanager
def move_of(service: str, server: Postgres, target: Postgres | None = None) -> Iterator[Move]:
    """Yield a service that moves from a copy of the shared database to a new one."""
    to = target or server
    name = uuid4().hex[:12]
    move = Move(service, server, to, f"former_{name}", f"own_{name}")
    server.execute(f"CREATE DATABASE {move.former} TEMPLATE shared OWNER {OWNER} STRATEGY FILE_COPY")
    template = own_template(to, service)
    to.execute(f"CREATE DATABASE {move.own} TEMPLATE {template} OWNER {service}_service STRATEGY FILE_COPY")
    try:
        yield move
    finally:
        move.abandon()
        to.execute(f"DROP DATABASE {move.own} WITH (FORCE)")
        server.execute(f"DROP DATABASE {move.former} WITH (FORCE)")
