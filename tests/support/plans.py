"""What PostgreSQL does for an answer."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session


class Cost:
    """What plans have read: how many pages, and which tables from end to end."""

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
    """Let an action ask PostgreSQL something that has an answer, and return what the plans of it cost."""
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
