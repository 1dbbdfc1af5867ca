"""Directories of the cluster, and clusters elsewhere."""

from __future__ import annotations

import pytest

from local import paths


def test_our_own_kubeconfig_is_not_another_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(paths.KUBECONFIG))
    assert paths.external_kubeconfig() is None
    monkeypatch.setenv("KUBECONFIG", "/elsewhere/config")
    assert paths.external_kubeconfig() == "/elsewhere/config"
