"""Directories at fixed places, removed by `down`."""

from __future__ import annotations

from pathlib import Path

from local.host.settings import prune


def test_only_known_leftovers_and_empty_directories_are_pruned(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (ours / "net.d").mkdir(parents=True)
    (ours / "net.d" / "cni.lock").touch()
    theirs.mkdir()
    (theirs / "precious").touch()
    prune(ours)
    prune(theirs)
    assert not ours.exists()
    assert (theirs / "precious").exists()
