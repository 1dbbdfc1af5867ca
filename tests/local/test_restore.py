"""How `make restore` reads and writes the list of restores, in stacks of this release and of the one before."""

from typing import Any

import pytest

from infra.config.restores import parse_restores
from local.restore import commands_to_record, restored

FIRST, SECOND = "2030-01-02T03:04:05+00:00@1", "2030-02-02T03:04:05+00:00@1"


@pytest.mark.parametrize(
    "config",
    [
        {"database": {"kind": "postgresql", "restores": [FIRST, SECOND]}},
        {"database": "postgresql", "restores": f"{FIRST},{SECOND}"},
        {"database": {}, "restores": f"{FIRST},{SECOND}"},
    ],
)
def test_restores_are_read_from_the_section_and_from_the_flat_key(config: dict[str, Any]) -> None:
    assert [str(each) for each in restored(config)] == [FIRST, SECOND]


def test_a_stack_that_was_never_restored_has_none() -> None:
    assert restored({"database": {}}) == restored({"database": "postgresql"}) == restored({}) == ()


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
