"""The schema of a database: the core's branch, and one for each service that uses it."""

from collections.abc import Iterable
from importlib import import_module

from sqlalchemy import Table

from app.bootstrap.services import SERVICES
from app.core.database import migrate as branch_migrations
from app.core.database.engine import Database
from app.core.database.migrate import Branch


def branches(services: Iterable[str] = SERVICES) -> tuple[Branch, ...]:
    """Return the branches that some services need; of the others no module is loaded."""
    return tuple(import_module(f"app.{name}.tables").BRANCH for name in ("core", *services))


def tables(services: Iterable[str] = SERVICES) -> list[Table]:
    """Return the tables of some services and of the core, each after those that it refers to."""
    return [table for branch in branches(services) for table in branch.metadata.sorted_tables]


def migrate(database: Database, services: Iterable[str] = SERVICES) -> None:
    """Bring a database to the schema of this version: all of it, or what some services need."""
    branch_migrations.migrate(database, branches(services))
