"""Brings the database of a stack back to a moment: another cluster out of the backups, and the API moves over to it.

The program does the work (`infra/config/restores.py` says how its configuration tells it to). Here is what has to be so
before: the moment lies within the backups, and the log is archived beyond it.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from rich.console import Console
from tenacity import Retrying, stop_after_delay, wait_fixed

from infra.config.restores import Restore, archive_of, parse_moment, parse_restores, write_restores
from infra.names import BACKUPS, DATABASE_NAME, Generation
from local import stack
from local.errors import LocalError


def restored(name: str) -> tuple[Restore, ...]:
    """Return what the stack's database was brought back to before, as its configuration has it."""
    config = json.loads(stack.pulumi("config", "--json", stack=name, capture=True))
    return parse_restores(config.get("task-manager:restores", {}).get("value", ""))


def check_within_backups(moment: datetime, archive: str, store: str, now: datetime) -> None:
    """Return when a cluster can be brought back to the moment.

    Args:
        archive: the folder of its backups.
        store: the ObjectStore, as kubectl writes it in JSON.

    Raises:
        LocalError: it lies ahead, or before the first backup, or there is none.
    """
    if moment > now:
        raise LocalError(f"{moment} lies ahead")
    windows = json.loads(store).get("status", {}).get("serverRecoveryWindow", {})
    first = windows.get(archive, {}).get("firstRecoverabilityPoint")
    if first is None:
        raise LocalError(f"there is no backup in {archive} yet: `kubectl get backups` shows what there is")
    if moment < datetime.fromisoformat(first):
        raise LocalError(f"the first backup in {archive} is of {first}: {moment} lies before it")


def _sql(statement: str, cluster: Generation, namespace: str) -> str:
    psql = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", DATABASE_NAME, "--command", statement)
    primary = ("exec", f"service/{cluster.primary}", "--container=postgres", "--")
    return stack.kubectl(*primary, *psql, namespace=namespace).strip()


def answers(cluster: Generation, namespace: str) -> bool:
    """Tell whether the cluster has a primary that answers; without one, what is archived already has to do."""
    try:
        return _sql("SELECT 1", cluster, namespace) == "1"
    except LocalError:
        return False


def archive_all(cluster: Generation, namespace: str) -> None:
    """Return when all that has been committed until now is in the archive.

    Raises:
        LocalError: the primary does not answer, or nothing is archived for two minutes.
    """
    # A recovery ends at the first commit after its moment, so there has to be one.
    _sql("SELECT pg_logical_emit_message(true, 'restore', '')", cluster, namespace)
    segment = _sql("SELECT pg_walfile_name(pg_switch_wal())", cluster, namespace)
    archived = f"SELECT coalesce(last_archived_wal, '') >= '{segment}' FROM pg_stat_archiver"  # noqa: S608 - its own word
    for attempt in Retrying(stop=stop_after_delay(120), wait=wait_fixed(0.5), reraise=True):
        with attempt:
            if _sql(archived, cluster, namespace) != "t":
                raise LocalError(f"{segment} of {cluster.cluster} is not archived: `kubectl describe cluster` says why")


def restore(name: str, at: str, source: int | None, console: Console) -> None:
    """Bring a stack's database back.

    Args:
        at: the moment, with its time zone. What was committed by then is there again.
        source: number of the cluster whose backups are read; None for the one that the stack runs on.

    Raises:
        LocalError: it can't be done, and nothing has been changed; or `pulumi up` failed, and says why. Then another
            `pulumi up` goes on, and an entry taken out of `restores` goes back.
    """
    began = time.monotonic()
    before = restored(name)
    current = Generation(len(before) + 1)
    origin = Generation(source or current.number)
    try:
        moment = parse_moment(at)
        after = parse_restores(write_restores([*before, Restore(moment, origin.number)]))
    except ValueError as error:
        raise LocalError(str(error)) from error
    namespace = stack.outputs(name)["namespace"]
    store = stack.kubectl("get", f"objectstores/{BACKUPS}", "--output=json", namespace=namespace)
    check_within_backups(moment, archive_of(origin, before), store, datetime.now(UTC))
    if origin == current and answers(current, namespace):
        archive_all(current, namespace)
    stack.pulumi("config", "set", "restores", write_restores(after), stack=name)
    stack.up(name)
    minutes = (time.monotonic() - began) / 60
    console.print(f"\nThe database is as it was at {moment}, after {minutes:.1f} minutes.", highlight=False)
    console.print(f"{current.cluster} sleeps: its volumes hold what came later. To remove them, if nobody needs them:")
    console.print("  pulumi config set former_databases removed && pulumi up", highlight=False, markup=False)
