"""Restores: the moments within the backups, and their list in stacks of this release and of the former one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from infra.config.restores import parse_restores
from local.errors import LocalError
from local.stack import address, deployment, pulumi
from local.stack.place import Place
from local.stack.restore import check_within_backups, commands_to_record, past_restores, restore

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
FIRST, SECOND = "2030-01-02T03:04:05+00:00@1", "2030-02-02T03:04:05+00:00@1"


def store(first: str | None) -> str:
    window = {"task-manager-database": {"firstRecoverabilityPoint": first}} if first else {}
    return json.dumps({"status": {"serverRecoveryWindow": window}})


@pytest.mark.parametrize(
    ("moment", "first", "sentence"),
    [
        (NOW + timedelta(seconds=1), "2030-01-01T00:00:00Z", "lies ahead"),
        (NOW - timedelta(days=2), "2030-01-01T00:00:00Z", "lies before it"),
        (NOW, None, "there is no backup in task-manager-database yet"),
    ],
)
def test_a_moment_outside_the_backups_is_refused(moment: datetime, first: str | None, sentence: str) -> None:
    with pytest.raises(LocalError, match=sentence):
        check_within_backups(moment, "task-manager-database", store(first), NOW)


def test_a_moment_within_the_backups_is_not() -> None:
    check_within_backups(NOW, "task-manager-database", store("2030-01-02T03:04:05Z"), NOW)


@pytest.mark.parametrize(
    "config",
    [
        {"database": {"kind": "postgresql", "restores": [FIRST, SECOND]}},
        {"database": "postgresql", "restores": f"{FIRST},{SECOND}"},
        {"database": {}, "restores": f"{FIRST},{SECOND}"},
    ],
)
def test_restores_are_read_from_the_section_and_from_the_flat_key(config: dict[str, Any]) -> None:
    assert [str(each) for each in past_restores(config)] == [FIRST, SECOND]


def test_a_stack_that_was_never_restored_has_none() -> None:
    assert past_restores({"database": {}}) == past_restores({"database": "postgresql"}) == past_restores({}) == ()


def test_the_list_is_written_to_the_section() -> None:
    config = {"database": {"kind": "postgresql", "restores": [FIRST]}}
    assert commands_to_record(config, parse_restores(f"{FIRST},{SECOND}")) == [
        [
            *("config", "set-all", "--path"),
            *("--plaintext", f"database.restores[0]={FIRST}"),
            *("--plaintext", f"database.restores[1]={SECOND}"),
        ]
    ]


def test_flat_keys_of_the_section_move_into_it_so_that_none_is_lost() -> None:
    config = {"database": "postgresql", "database_storage": "25", "restores": FIRST, "former_databases": "asleep"}
    write, remove = commands_to_record({**config, "cdn": "edge"}, parse_restores(f"{FIRST},{SECOND}"))
    assert set(write[4::2]) == {
        "database.kind=postgresql",
        "database.storage=25",
        "database.retired_clusters=hibernated",
        f"database.restores[0]={FIRST}",
        f"database.restores[1]={SECOND}",
    }
    assert remove == ["config", "rm-all", "database_storage", "restores", "former_databases"]


def test_a_restore_leaves_the_image_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = f"ghcr.io/primetrade/task-manager@sha256:{'a' * 64}"
    ran: list[tuple[tuple[str, ...], dict[str, str]]] = []

    def run(*words: str, variables: dict[str, str] | None = None, **_: object) -> str:
        ran.append((words, variables or {}))
        return json.dumps({"task-manager:database": {"value": "", "objectValue": {"kind": "postgresql"}}})

    monkeypatch.setattr(pulumi, "run", run)
    monkeypatch.setattr(pulumi, "outputs", lambda _: {"namespace": "n", "url": "http://x", "image": deployed})
    monkeypatch.setattr(pulumi, "release_stale_lock", lambda _: None)
    monkeypatch.setattr(Place, "kubectl", lambda *_, **__: store("2019-01-01T00:00:00Z"))
    monkeypatch.setattr(deployment, "wait_until_scaled", lambda _: None)
    monkeypatch.setattr(address, "first_answering", lambda found: found[0])
    monkeypatch.setattr("local.stack.restore.is_reachable", lambda *_: False)
    restore("prod", "2020-01-01 00:00:01+00", None, Console(quiet=True))
    [up] = [variables for words, variables in ran if words[0] == "up"]
    assert up == {"TASK_MANAGER_IMAGE": deployed}
