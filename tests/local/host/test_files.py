"""Atomic writes of files and directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.host import files


def test_a_file_is_not_written_again_without_a_change(tmp_path: Path) -> None:
    file = files.write_private(tmp_path / "a", "one")
    before = file.stat().st_ino, file.stat().st_mtime_ns
    files.write_private(file, "one")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before
    files.write_private(file, "two")
    assert file.read_text() == "two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_of_two_runs_that_make_the_same_the_first_ones_work_stands(tmp_path: Path) -> None:
    first, second, target = tmp_path / "first", tmp_path / "second", tmp_path / "target"
    for made in (first, second):
        made.mkdir()
        (made / "program").write_text(made.name)
        files.place(made, target)
    assert (target / "program").read_text() == "first"
    with pytest.raises(FileNotFoundError):
        files.place(tmp_path / "missing", tmp_path / "nowhere")
