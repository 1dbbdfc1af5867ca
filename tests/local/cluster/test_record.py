"""The record of the cluster that is up."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import paths
from local.cluster.record import Record, load_record


def test_a_record_comes_back_as_it_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "CLUSTER_RECORD", tmp_path / "complete.json")
    assert load_record() is None
    saved = Record(2, ("dns", "storage"), "boot")
    saved.save()
    assert load_record() == saved
    waiting = Record(1, ("dns",), "boot", ("metrics",), 12.5)
    waiting.save()
    assert load_record() == waiting


def test_a_record_of_the_release_before_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "CLUSTER_RECORD", tmp_path / "complete.json")
    (tmp_path / "complete.json").write_text('{"nodes": 1, "addons": ["dns"], "boot": "b"}')
    assert load_record() == Record(1, ("dns",), "b")
