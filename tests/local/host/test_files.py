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


def test_files_and_directories_of_former_versions_go_and_no_others(tmp_path: Path) -> None:
    names = ("a-0123456789ab", "a-b-0123456789ab", "a-0123456789ab.tar", "a-ba9876543210.tar", "a.tar", ".a.lock")
    for name in names:
        (tmp_path / name).touch()
    for name in ("a-00000000000a", "a-00000000000b"):
        (tmp_path / name / "bin").mkdir(parents=True)
    files.remove_former(tmp_path / "a-00000000000b", "a")
    assert {path.name for path in tmp_path.iterdir()} == {"a-00000000000b", *names[1:]}
    files.remove_former(tmp_path / "a-0123456789ab.tar", "a")
    assert {path.name for path in tmp_path.iterdir()} == {"a-00000000000b", *names[1:]} - {"a-ba9876543210.tar"}


def test_a_copy_of_what_nobody_may_write_can_be_changed_and_removed(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "file").write_text("text")
    for each in (source / "inner" / "file", source / "inner", source):
        each.chmod(0o444 if each.is_file() else 0o555)
    files.copy_writable(source, copy)
    assert (copy / "inner" / "file").read_text() == "text"
    assert [each.stat().st_mode & 0o200 for each in (copy, copy / "inner", copy / "inner" / "file")] == [0o200] * 3
