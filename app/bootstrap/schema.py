"""Schema of a database: the core's branch, and one per service that uses it."""

from collections.abc import Iterable
from importlib import import_module

from sqlalchemy import Table

from app.bootstrap.services import SERVICES
from app.core.database import migrate as branch_migrations
from app.core.database.engine import Database
from app.core.database.migrate import Branch


def branches(services: Iterable[str] = SERVICES) -> tuple[Branch, ...]:
    """Return the branches of the core and of some services; modules of other services are not imported."""
    return tuple(import_module(f"app.{name}.tables").BRANCH for name in ("core", *services))


def tables(services: Iterable[str] = SERVICES) -> list[Table]:
    """Return the tables of the core and of some services, in order of their foreign keys."""
    return [table for branch in branches(services) for table in branch.metadata.sorted_tables]


def migrate(database: Database, services: Iterable[str] = SERVICES) -> None:
    """Migrate a database to the schema of this version, for some services or all."""
    branch_migrations.migrate(database, branches(services))
