"""Directories of nodes that pods mount: the machine's in a pod's description, the node's own in its container."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from infra.components.observability import filebeat
from local import paths
from local.cluster import host_paths
from local.cluster.host_paths import POD_LOGS
from local.cluster.nodes import Node
from local.errors import LocalError


@pytest.fixture(autouse=True)
def runc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runc that prints its arguments, and a cluster in a directory of the test's."""
    program = tmp_path / "bin" / "runc"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(paths, "CLUSTER", tmp_path / "cluster")
    monkeypatch.setattr(host_paths, "POD_LOGS", tmp_path / "log" / "pods")
    monkeypatch.setattr(host_paths, "DATA", tmp_path / "lib")


def bundle(directory: Path, *sources: Path) -> Path:
    """Write the description of a container that binds these directories."""
    directory.mkdir()
    mounts = [{"destination": "/there", "type": "bind", "source": str(source)} for source in sources]
    (directory / "config.json").write_text(json.dumps({"mounts": mounts}, separators=(",", ":")))
    return directory


def sources(directory: Path) -> list[str]:
    return [mount["source"] for mount in json.loads((directory / "config.json").read_text())["mounts"]]


def test_a_container_gets_the_directories_of_its_node(tmp_path: Path) -> None:
    for node in (Node(1), Node(2)):
        data, other = host_paths.DATA / "task-manager-x-logs", host_paths.DATA / "kubelet"
        made = bundle(tmp_path / node.name, host_paths.POD_LOGS, data, other)
        command = [str(host_paths.runtime(node)), "--root", "/r", "create", "--bundle", str(made), "name"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert said == f"--root /r create --bundle {made} name\n"
        own = node.directory / "host" / data.relative_to("/")
        assert sources(made) == [str(node.directory / "pod-logs"), str(own), str(other)]
        assert own.is_dir()


def test_other_commands_are_runcs_own() -> None:
    command = [str(host_paths.runtime(Node(1))), "exec", "name", "sh", "-c", "echo a  b"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "exec name sh -c echo a  b\n"


def test_without_runc_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="runc is not installed"):
        host_paths.runtime(Node(1))


def test_directories_of_stacks_go_unless_something_is_in_them() -> None:
    empty, used, other = (host_paths.DATA / name for name in ("task-manager-a-logs", "task-manager-b-logs", "c"))
    for place in (empty, used / "data", other):
        place.mkdir(parents=True)
    host_paths.remove_leftovers()
    assert [place.exists() for place in (empty, used, other)] == [False, True, True]


def test_pods_find_logs_where_the_shipper_looks() -> None:
    assert str(POD_LOGS) == filebeat.PODS
