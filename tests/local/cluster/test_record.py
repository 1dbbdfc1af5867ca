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
