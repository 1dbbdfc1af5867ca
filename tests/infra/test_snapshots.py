"""Each phase and variant registers what its committed snapshot says."""

import difflib
import re

import pytest

from infra.config.reading import ENTRY, paths_of
from infra.config.settings import Settings
from tests.infra import engine, snapshot
from tests.infra.variants import VARIANTS

# Cloudflare's package uses names of its own that it has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_cloudflare")


@pytest.mark.parametrize("name", VARIANTS)
def test_the_program_registers_what_the_snapshot_says(name: str) -> None:
    path = snapshot.path_of(name)
    committed, current = path.read_text(), snapshot.current(name)
    diff = "\n".join(
        difflib.unified_diff(committed.splitlines(), current.splitlines(), path.name, "now", n=6, lineterm="")
    )
    assert committed == current, f"if this is meant, write it by `make snapshots` and commit it:\n{diff}"


def test_every_snapshot_is_of_a_variant() -> None:
    assert {path.name for path in snapshot.FOLDER.iterdir()} == {f"{name}.yaml" for name in VARIANTS}


def test_every_setting_is_set_in_some_variant() -> None:
    keys = {key.partition(":")[2] for variant in VARIANTS.values() for key in variant.config}
    set_somewhere = {re.sub(r"^services\.\w+", f"services.{ENTRY}", key) for key in keys}
    assert set(paths_of(Settings)) - set_somewhere == {"context"}


def test_a_patch_says_what_is_added_changed_and_taken_away() -> None:
    before = {"same": {"a": 1}, "gone": 1, "changed": {"a": 1, "b": [1, 2]}}
    after = {"same": {"a": 1}, "new": {"a": 2}, "changed": {"a": 1, "b": [1]}}
    assert snapshot.merge_patch(before, after) == {"gone": None, "new": {"a": 2}, "changed": {"b": [1]}}


def test_a_snapshot_names_no_file_of_the_machine_and_no_digest_of_the_chart() -> None:
    text = "".join(path.read_text() for path in snapshot.FOLDER.iterdir())
    assert str(engine.ROOT) not in text
    assert "chart <digest>" in text
