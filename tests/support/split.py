"""A database that all services share, one of a service's own, and what moves between them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
from sqlalchemy import Engine, create_engine

from app.bootstrap.shares import shares
from app.core.database_split.share import ServiceShare
from tests.support.postgres import Postgres, postgres
from tests.support.server import ROOT, environment

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
    """Run a server with the roles that the operator makes, and a migrated database `shared` of all services."""
    with postgres(**LOGICAL) as server:
        server.execute(f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE {SPLITTER} LOGIN REPLICATION IN ROLE {OWNER}")
        for service in shares():
            server.execute(f"CREATE ROLE {service}_service LOGIN")
        server.execute(f"CREATE DATABASE shared OWNER {OWNER}")
        done = command("migrate", url=url(server, "shared", OWNER), former=None)
        assert done.returncode == 0, done.stderr
        yield server


def url(server: Postgres, database: str, role: str) -> str:
    return f"postgresql+psycopg2://{role}@127.0.0.1:{server.port}/{database}"


def command(*arguments: str, url: str, former: str | None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=variables(url, former),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def variables(url: str, former: str | None) -> dict[str, str]:
    more = {} if former is None else {"APP_FORMER_DATABASE_URL": former}
    return environment(Path("/tmp"), url, port=1, **more)  # noqa: S108 nothing is written there


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

    def run(self, step: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a step of the command."""
        given = ("split-database", step, "--service", self.service, *arguments)
        return command(*given, url=self.own_url, former=self.splitter_url)

    def succeed(self, step: str, *arguments: str) -> str:
        """Run a step of the command, and return what it says."""
        done = self.run(step, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

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

    def administer(self, statement: str) -> Any:
        """Run a statement in the service's own database as the superuser."""
        return execute(self.target, self.own, statement)

    def ask(self, statement: str) -> Any:
        """Return the first value of a query in the shared database."""
        return execute(self.source, self.former, statement)

    def engines(self) -> tuple[Engine, Engine]:
        return create_engine(self.splitter_url), create_engine(self.own_url)


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
    to.execute(f"CREATE DATABASE {move.own} OWNER {service}_service")
    try:
        yield move
    finally:
        move.unsubscribe()
        to.execute(f"DROP DATABASE {move.own} WITH (FORCE)")
        server.execute(f"DROP DATABASE {move.former} WITH (FORCE)")
