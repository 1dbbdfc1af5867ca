"""Point-in-time recovery of a stack's database: a new cluster from the backups, to which the API moves.

The program does the work (`infra/config/restores.py` says how its configuration tells it to). Here is what has to be so
before: the moment lies within the backups, and the log is archived beyond it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from tenacity import Retrying, stop_after_delay, wait_fixed

from infra.config.flat_keys import FLAT_KEYS, value_of
from infra.config.restores import Restore, archive_of, parse_moment, parse_restores, write_restores
from infra.names import BACKUPS, DATABASE_NAME, PROJECT, ClusterGeneration
from local.errors import LocalError
from local.stack import deployment, pulumi
from local.stack.place import Place, place_of


def configuration(name: str) -> dict[str, Any]:
    """Return the stack's configuration by key, without the project's name."""
    config = json.loads(pulumi.run("config", "--json", "--show-secrets", stack=name, capture=True))
    return {key.removeprefix(f"{PROJECT}:"): entry.get("objectValue", entry["value"]) for key, entry in config.items()}


def past_restores(config: Mapping[str, Any]) -> tuple[Restore, ...]:
    """Return the restores of the stack's database, in the section or in the flat key of the release before."""
    database = config.get("database")
    entries = database.get("restores") if isinstance(database, dict) else None
    return parse_restores(",".join(entries) if entries else config.get("restores", ""))


def commands_to_record(config: Mapping[str, Any], restores: Sequence[Restore]) -> list[list[str]]:
    """Return the commands that write the list of restores to the stack's configuration.

    Flat keys of the section move into it: `--path` would replace a flat `database`, and what it said would be lost.
    """
    flat = {
        key: path
        for key, path in FLAT_KEYS.items()
        if path.startswith("database.") and config.get(key) not in (None, "") and not isinstance(config[key], dict)
    }
    values = {path: value_of(key, config[key]) for key, path in flat.items() if key != "restores"}
    values |= {f"database.restores[{index}]": str(each) for index, each in enumerate(restores)}
    pairs = [word for path, value in values.items() for word in ("--plaintext", f"{path}={value}")]
    left = [key for key in flat if key != "database"]
    return [["config", "set-all", "--path", *pairs], *([["config", "rm-all", *left]] if left else [])]


def check_within_backups(moment: datetime, archive: str, store: str, now: datetime) -> None:
    """Return when a cluster can be restored to the moment.

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


def _sql(statement: str, cluster: ClusterGeneration, place: Place) -> str:
    psql = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", DATABASE_NAME, "--command", statement)
    primary = ("exec", f"service/{cluster.primary}", "--container=postgres", "--")
    return place.kubectl(*primary, *psql).strip()


def is_reachable(cluster: ClusterGeneration, place: Place) -> bool:
    """Tell whether the cluster has a primary that answers; without one, only what is archived can be restored."""
    try:
        return _sql("SELECT 1", cluster, place) == "1"
    except LocalError:
        return False


def archive_wal(cluster: ClusterGeneration, place: Place) -> None:
    """Return when the WAL of everything committed until now is archived.

    Raises:
        LocalError: the primary does not answer, or nothing is archived for two minutes.
    """
    # A recovery ends at the first commit after its moment, so there has to be one.
    _sql("SELECT pg_logical_emit_message(true, 'restore', '')", cluster, place)
    segment = _sql("SELECT pg_walfile_name(pg_switch_wal())", cluster, place)
    archived = f"SELECT coalesce(last_archived_wal, '') >= '{segment}' FROM pg_stat_archiver"  # noqa: S608 - its own word
    for attempt in Retrying(stop=stop_after_delay(120), wait=wait_fixed(0.5), reraise=True):
        with attempt:
            if _sql(archived, cluster, place) != "t":
                raise LocalError(f"{segment} of {cluster.cluster} is not archived: `kubectl describe cluster` says why")


def restore(name: str, at: str, source: int | None, console: Console) -> None:
    """Bring a stack's database back.

    Args:
        at: the moment, with its time zone. What was committed by then is there again.
        source: number of the cluster whose backups are read; None for the one that the stack runs on.

    Raises:
        LocalError: it can't be done, and nothing has been changed; or `pulumi up` failed, and says why. Then another
            `pulumi up` goes on, and an entry taken out of `database.restores` goes back.
    """
    began = time.monotonic()
    config = configuration(name)
    before = past_restores(config)
    current = ClusterGeneration(len(before) + 1)
    origin = ClusterGeneration(source or current.number)
    try:
        moment = parse_moment(at)
        after = parse_restores(write_restores([*before, Restore(moment, origin.number)]))
    except ValueError as error:
        raise LocalError(str(error)) from error
    outputs = pulumi.outputs(name)
    place = place_of(name, outputs)
    store = place.kubectl("get", f"objectstores/{BACKUPS}", "--output=json")
    check_within_backups(moment, archive_of(origin, before), store, datetime.now(UTC))
    if origin == current and is_reachable(current, place):
        archive_wal(current, place)
    for command in commands_to_record(config, after):
        pulumi.run(*command, stack=name)
    deployment.up(name, image=outputs["image"])  # a restore is no release
    minutes = (time.monotonic() - began) / 60
    console.print(f"\nThe database is as it was at {moment}, after {minutes:.1f} minutes.", highlight=False)
    console.print(
        f"{current.cluster} is hibernated: its volumes hold what came later. To remove them, if nobody needs them:"
    )
    console.print(
        "  pulumi config set --path database.retired_clusters removed && pulumi up", highlight=False, markup=False
    )
