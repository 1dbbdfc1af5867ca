"""Point-in-time recovery: writes until the target time are restored, later ones are not."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests.support.backups import Archive, archive
from tests.support.ports import wait_for
from tests.support.postgres import Postgres


@pytest.fixture
def backups(tmp_path: Path) -> Iterator[Archive]:
    with archive(tmp_path) as found:
        yield found


def next_second(server: Postgres) -> str:
    """Return the next full second, once it has passed."""
    moment: str = server.execute("SELECT (date_trunc('second', clock_timestamp()) + '1s')::text")
    wait_for(lambda: bool(server.execute(f"SELECT clock_timestamp() > '{moment}'")), "the second has passed")
    return moment


def test_a_dropped_table_is_back_as_it_was_a_second_before(backups: Archive) -> None:
    with backups.archiving() as server:
        server.execute("CREATE TABLE tasks AS SELECT 'before the backup' AS title FROM generate_series(1, 100)")
        backups.take(server)
        server.execute("INSERT INTO tasks SELECT 'after the backup' FROM generate_series(1, 100)")
        moment = next_second(server)
        server.execute("INSERT INTO tasks SELECT 'bad' FROM generate_series(1, 100)")
        server.execute("DROP TABLE tasks")
        backups.complete(server)
        with pytest.raises(psycopg2.errors.UndefinedTable):
            server.execute("SELECT count(*) FROM tasks")
    with backups.recovered(moment) as again:
        found = again.execute(
            "SELECT json_object_agg(title, number) FROM"
            " (SELECT title, count(*) AS number FROM tasks GROUP BY title) AS counted"
        )
        assert found == {"before the backup": 100, "after the backup": 100}
        again.execute("INSERT INTO tasks VALUES ('and it can be written to')")
