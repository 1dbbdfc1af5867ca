"""A cluster's directories in a temporary place."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import paths


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is written for a cluster under a temporary directory, and return it."""
    root = tmp_path / "cluster"
    monkeypatch.setattr(paths, "CLUSTER", root)
    monkeypatch.setattr(paths, "KUBECONFIG", root / "kubeconfig")
    monkeypatch.setattr(paths, "LOGS", root / "logs")
    monkeypatch.setattr(paths, "CERTIFICATES", root / "certificates")
    monkeypatch.setattr(paths, "CONFIG", root / "config")
    return root
