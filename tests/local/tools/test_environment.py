"""Environment variables of shells and of pulumi."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local import paths
from local.tools import environment


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without pulumi and without settings of its own; returns a directory on its PATH."""
    for name in ("KUBECONFIG", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(paths, "API_IMAGE", tmp_path / "image")
    return tmp_path


def program(directory: Path, name: str) -> Path:
    file = directory / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_a_shell_reaches_the_local_cluster_and_its_stacks(bare: Path) -> None:
    (bare / "image").write_text("example.org/x:1\n")
    given = environment.variables()
    assert given["KUBECONFIG"] == str(paths.KUBECONFIG)
    assert given["PULUMI_BACKEND_URL"] == f"file://{paths.OWN_PULUMI}"
    assert given["PULUMI_CONFIG_PASSPHRASE"] == ""
    assert given["TASK_MANAGER_IMAGE"] == "example.org/x:1"


@pytest.mark.usefixtures("bare")
def test_without_pulumi_the_stand_ins_are_used() -> None:
    given = environment.variables()
    assert str(paths.PLUGINS) in given["PATH"].split(os.pathsep)
    assert given["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"


def test_an_official_pulumi_keeps_its_own_plugins(bare: Path) -> None:
    program(bare, "pulumi")
    program(bare, "pulumi-language-python")
    given = environment.variables()
    assert str(paths.PLUGINS) not in given["PATH"].split(os.pathsep)
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in given


@pytest.mark.usefixtures("bare")
def test_what_the_user_has_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/elsewhere/config")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/secret")
    given = environment.variables()
    assert {"KUBECONFIG", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "TASK_MANAGER_IMAGE"}.isdisjoint(given)


@pytest.mark.usefixtures("bare")
def test_asking_for_the_environment_twice_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", environment.variables()["PATH"])
    assert environment.variables()["PATH"] == os.environ["PATH"]
