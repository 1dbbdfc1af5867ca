"""Root file systems: unpacked once, whole, and in place of the former ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local import paths
from local.errors import LocalError
from local.images import root_filesystems
from local.images.archives import Entry, layer
from local.images.root_filesystems import RootFilesystem


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_filesystems, "LAYERS", tmp_path / "layers")
    monkeypatch.setattr(root_filesystems, "UNPACKED", tmp_path / "roots")
    (tmp_path / "layers").mkdir()


def test_a_layer_is_unpacked_once_in_place_of_the_former_one(tmp_path: Path) -> None:
    former, latter = (RootFilesystem("server", suite, ()) for suite in ("bookworm", "trixie"))
    for root in (former, latter):
        layer([Entry("etc", directory=True), Entry("etc/suite", text=root.suite)], root.layer)
        assert root.unpack() == root.unpacked
    assert (latter.unpacked / "etc/suite").read_text() == "trixie"
    assert (latter.unpacked / "dev").is_dir(), "what is mounted there finds a place"
    assert list((tmp_path / "roots").iterdir()) == [latter.unpacked]
    latter.layer.unlink()
    assert latter.unpack() == latter.unpacked, "it needs no layer any more"


def test_a_layer_that_is_cut_short_leaves_nothing(tmp_path: Path) -> None:
    root = RootFilesystem("server", "trixie", ())
    root.layer.write_bytes(b"no archive")
    with pytest.raises(LocalError, match="tar"):
        root.unpack()
    assert list((tmp_path / "roots").iterdir()) == []


def test_an_unknown_server_is_refused_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "root", "mysql"], cwd=paths.ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "error: mysql is unknown: it is one of rabbitmq\n")
