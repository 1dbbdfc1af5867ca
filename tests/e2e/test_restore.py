"""Point-in-time recovery: a table is dropped, and one command restores the database to the second before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.e2e.account import Account
from tests.e2e.faults import change_primary, wait_until_ready
from tests.e2e.system import ROOT, System, run, wait_for

pytestmark = [pytest.mark.phases(3), pytest.mark.late]

RETIRED, RESTORED = "task-manager-database", "task-manager-database-2"


@pytest.fixture(autouse=True)
def configuration(system: System) -> Iterator[None]:
    """Give the stack's file back as it was: the command writes the restore into it."""
    file = ROOT / f"Pulumi.{system.stack}.yaml"
    before = file.read_text()
    yield
    file.write_text(before)


def sql(system: System, statement: str, cluster: str = RETIRED) -> str:
    """Run a statement on a cluster's primary and return the value that it gives."""
    psql = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname=tasks", "--command", statement)
    return system.kubectl("exec", f"service/{cluster}-rw", "--container=postgres", "--", *psql).ok().strip()


def is_backed_up(system: System) -> bool:
    [store] = system.get("objectstores.barmancloud.cnpg.io")
    windows = store.get("status", {}).get("serverRecoveryWindow", {})
    return "firstRecoverabilityPoint" in windows.get(RETIRED, {})


def hibernated(system: System) -> set[str]:
    """Return the clusters that have no pods."""
    return {
        cluster["metadata"]["name"]
        for cluster in system.get("clusters.postgresql.cnpg.io")
        for condition in cluster["status"]["conditions"]
        if (condition["type"], condition["status"]) == ("cnpg.io/hibernation", "True")
    }


def test_a_dropped_table_is_brought_back_to_the_second_before(
    system: System, account: Account, artefacts: Path
) -> None:
    wait_for("the first backup is there", lambda: is_backed_up(system), seconds=300)
    # What is brought back lies on another timeline than its backup: an operator may refuse to follow there.
    change_primary(system)
    wait_until_ready(system)
    good = [f"Good {number}" for number in range(20)]
    for title in good:
        assert account.client.post("/tasks", json={"title": title}).status_code == 201
    moment = sql(system, "SELECT (date_trunc('second', clock_timestamp()) + '1s')::text")
    wait_for("the second has passed", lambda: sql(system, f"SELECT clock_timestamp() > '{moment}'") == "t")
    assert account.client.post("/tasks", json={"title": "Bad"}).status_code == 201
    sql(system, "DROP TABLE tasks CASCADE")

    began = monotonic()
    run("make", "restore", f"STACK={system.stack}", f"AT={moment}", timeout=1800).ok()
    minutes = (monotonic() - began) / 60

    account.log_in()

    # What was kept of the former database's answers may be shown for another minute.
    def titles() -> list[str]:
        found = account.client.get("/tasks", params={"limit": 100, "sort": "created_at"})
        return [task["title"] for task in found.json()["items"]] if found.status_code == 200 else []

    wait_for("the good rows are there", lambda: titles() == good, seconds=90)
    assert account.client.post("/tasks", json={"title": "After"}).status_code == 201
    assert sql(system, "SELECT count(*) FROM tasks WHERE title = 'Bad'", RESTORED) == "0"
    assert hibernated(system) == {RETIRED}
    (artefacts / "restore.txt").write_text(
        f"a dropped table brought back to the second before in {minutes:.1f} minutes: {len(good)} good rows there,"
        " the bad one not\n"
    )
