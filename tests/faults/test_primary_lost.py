"""Failover while jobs run: no job is lost, none is done twice."""

from pathlib import Path

from app.bootstrap.schema import migrate
from app.core.database.engine import connect
from tests.support import postgres as servers
from tests.support.address import Address
from tests.support.ports import wait_for
from tests.support.settings import make_settings
from tests.support.workers import Workers, effects, queue_imports, succeeded

JOBS = 300
VISIBILITY = 5
"""Seconds."""


def test_no_job_is_lost_or_done_twice_when_a_replica_takes_over(valkey: str, tmp_path: Path) -> None:
    with (
        servers.postgres() as primary,
        servers.replica_of(primary) as replica,
        Address(primary.port) as address,
        Workers(tmp_path, address.url, f"{valkey}/3", VISIBILITY) as workers,
    ):
        primary.confirm_with_replica()
        database = connect(make_settings(address.url))
        migrate(database)
        wanted = queue_imports(database, JOBS)
        workers.wait()
        wait_for(lambda: succeeded(database) > 20, "the workers are at it")
        primary.stop()
        replica.execute("SELECT pg_promote()")
        address.lead_to(replica.port)
        database.dispose()
        assert succeeded(database) < JOBS
        wait_for(lambda: succeeded(database) == JOBS, "all jobs succeed", 180)
        assert effects(database) == wanted
        database.dispose()
