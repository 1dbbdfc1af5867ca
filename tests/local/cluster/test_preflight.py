"""Machines that are refused: ports in use, disks that are too small."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from local import paths
from local.cluster import addons, preflight
from local.errors import LocalError


def test_a_port_in_use_is_named_with_its_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(preflight, "PORTS", {port: "the tests"})
        [line] = preflight.ports_in_use()
    assert f"port {port}, for the tests, is in use by" in line
    assert f"(process {os.getpid()})" in line


def test_a_disk_that_is_too_small_is_named_with_what_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path / "not" / "yet")
    monkeypatch.setattr(preflight, "CLUSTER_BYTES", 10**18)
    monkeypatch.setattr(preflight, "MARGIN_BYTES", 10**18)
    monkeypatch.setattr(preflight, "BUILD_BYTES", 10**18)
    with pytest.raises(LocalError, match=r"GB are free at .* 1000000000 GB are needed .* set XDG_CACHE_HOME"):
        preflight.check_disk()


def test_the_memory_that_each_phase_needs_is_known() -> None:
    assert preflight.MEMORY_BYTES.keys() == addons.PHASES.keys()
