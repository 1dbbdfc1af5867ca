"""Lost acknowledgements of COMMIT, on a real PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.bootstrap.container import Container
from tests.support.postgres import Postgres


@contextmanager
def unacknowledged_commit(parts: Container, server: Postgres, statement: str) -> Iterator[None]:
    """Lose the response to the COMMIT of each transaction that executes a statement with this prefix."""
    dialect, lost = parts.database.writer.dialect, set[Any]()

    def note(connection: Any, _cursor: Any, text: str, *_more: Any) -> None:
        if text.startswith(statement):
            lost.add(connection.connection.dbapi_connection)

    def commit(connection: Any) -> None:
        connection.commit()
        driver = connection.driver_connection
        if driver in lost:
            lost.discard(driver)
            server.execute(f"SELECT pg_terminate_backend({driver.info.backend_pid}, 5000)")
            connection.cursor().execute("SELECT 'what the server says, had it been heard'")

    event.listen(parts.database.writer, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "do_commit", commit)
        yield
    event.remove(parts.database.writer, "before_cursor_execute", note)
