"""Query plans of PostgreSQL: the pages they read, and sequential scans."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from app.core.database.engine import UNLIMITED, Database, connect
from tests.support.postgres import Postgres
from tests.support.settings import make_settings

ROWS = int(os.environ.get("PLAN_ROWS", "20000"))
"""Rows per table; `PLAN_ROWS=1000000` is the number of the specification."""

USERS = 50
"""Users, each with an equal share of the rows."""


def identifier(name: str) -> UUID:
    """Return `md5(name)::uuid` of the statements that fill a table."""
    return UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


USER_ID = identifier("user7")
"""An arbitrary user."""


@contextmanager
def full_database(
    postgres: Postgres, name: str, fill: Callable[[Connection], object], *tables: str
) -> Iterator[Database]:
    """Create and fill a database, with statistics of these tables; drop it when the block ends."""
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
    database = connect(make_settings(postgres.url(name)))
    with database.writer.execution_options(**{UNLIMITED: True}).begin() as connection:
        fill(connection)
    with database.writer.execution_options(**{UNLIMITED: True}, isolation_level="AUTOCOMMIT").connect() as connection:
        # also sets the visibility map, which index-only scans need
        connection.execute(text(f"VACUUM ANALYZE {', '.join(tables)}"))
    yield database
    database.dispose()
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Cost:
    """Cost of plans: pages read, and tables read by sequential scans."""

    def __init__(self) -> None:
        self.pages = 0
        self.looked_through: set[str] = set()

    def add(self, plan: dict[str, Any]) -> None:
        self.pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        self._look_into(plan)

    def _look_into(self, plan: dict[str, Any]) -> None:
        if plan["Node Type"] == "Seq Scan":
            self.looked_through.add(plan["Relation Name"])
        for part in plan.get("Plans", []):
            self._look_into(part)


def cost_of(session: Session, action: Callable[[], Any]) -> Cost:
    """Run an action whose queries return rows, and return the cost of their plans."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    found = action()
    event.remove(connection, "before_cursor_execute", note)
    assert found
    assert asked
    cost = Cost()
    for statement, parameters in asked:
        explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
        cost.add(explained.scalar_one()[0]["Plan"])
    return cost
